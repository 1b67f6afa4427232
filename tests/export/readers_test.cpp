// SPDX-License-Identifier: Apache-2.0
// What other people's readers make of our files: onnx.checker and ONNX Runtime, PyTorch, safetensors.
#include "support/torch_test.h"

#include <cstdio>
#include <filesystem>
#include <map>

#include <nlohmann/json.hpp>

#include "export/fixtures.h"
#include "nas/core/files.h"
#include "nas/core/subprocess.h"
#include "nas/core/text.h"
#include "nas/space/search_space.h"
#include "nn/nn_support.h"

namespace nas::test {
namespace {

namespace fs = std::filesystem;

constexpr double kTolerance = 1e-4;
constexpr double kHalfTolerance = 5e-2;  // of the largest logit

void WriteFloats(const fs::path& path, const at::Tensor& tensor) {
  const at::Tensor plain = tensor.contiguous();
  WriteFileAtomic(path, {static_cast<const char*>(plain.data_ptr()), plain.nbytes()});
}

/// Scales the classifier so that logits are of order 1, as trained networks' are: absolute differences then mean
/// something. Returns the logits.
at::Tensor Normalise(Network& network, const at::Tensor& images) {
  const at::NoGradGuard no_grad;
  const at::Tensor logits = network.Forward(images, BnMode::kEval);
  const double largest = logits.abs().max().item<double>();
  const std::string head = network.architecture().layers.back().name;
  for (auto& [name, tensor] : network.NamedTensors()) {
    if (name.starts_with(head) && (name.ends_with("linear.weight") || name.ends_with("linear.bias"))) {
      if (largest > 1) tensor.div_(largest);
    }
  }
  return network.Forward(images, BnMode::kEval);
}

struct Written {
  double largest = 0;  ///< logit
  std::int64_t tensors = 0;
};

/// Writes everything that the script reads about one network.
Written WriteNetwork(const fs::path& dir, const Architecture& architecture, bool more_onnx) {
  const fs::path folder = dir / architecture.name;
  fs::create_directories(folder);
  Network network = DisturbedNetwork(architecture);
  const at::Tensor images = Pictures(7, architecture.resolution);
  const at::Tensor logits = Normalise(network, images);
  WriteFloats(folder / "images.f32", images);
  WriteFloats(folder / "logits.f32", logits);
  ExportModel model = ModelOf(network);
  for (const char* format : {"onnx", "torchscript", "safetensors", "state-dict"}) {
    FindExporter(format).Export(model, folder / std::string(FindExportFormat(format).file));
  }
  if (more_onnx) {
    model.keep_bn = true;
    FindExporter("onnx").Export(model, folder / "kept.onnx");
    model.keep_bn = false;
    model.fp16 = true;
    FindExporter("onnx").Export(model, folder / "half.onnx");
  }
  return {logits.abs().max().item<double>(), static_cast<std::int64_t>(network.NamedTensors().size())};
}

void CheckNetworks(const std::vector<Architecture>& architectures, bool more_onnx) {
  const std::string python = PythonWith("numpy, onnx, onnxruntime, safetensors, torch");
  if (python.empty()) return;
  const TempDir dir;
  std::map<std::string, Written> written;
  for (const Architecture& a : architectures) written[a.name] = WriteNetwork(dir.path(), a, more_onnx);
  const SubprocessResult result = RunSubprocess(
      {{python, std::string(NAS_SOURCE_DIR) + "/tests/export/read_files.py", dir.path().string()}, "", 600, {}});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  const std::vector<std::string> lines = Split(Trim(result.out), '\n');
  REQUIRE(lines.size() == written.size());
  double worst_onnx = 0, worst_script = 0, worst_half = 0;
  for (const std::string& line : lines) {
    const Json fact = Json::parse(line);
    INFO(line);
    const Written& w = written.at(fact["name"].get<std::string>());
    REQUIRE(fact["opset"] == 17);
    REQUIRE(fact["ir_version"] == 8);
    REQUIRE(fact["batch"] == "N");
    REQUIRE(fact["schema"] == "nas.weights/1");
    REQUIRE(fact["names_equal"] == true);
    REQUIRE(fact["values_equal"] == true);
    CHECK(fact["model.onnx"].get<double>() <= kTolerance);
    CHECK(fact["model.pt"].get<double>() <= kTolerance);
    worst_onnx = std::max(worst_onnx, fact["model.onnx"].get<double>());
    worst_script = std::max(worst_script, fact["model.pt"].get<double>());
    if (!more_onnx) continue;
    CHECK(fact["kept.onnx"].get<double>() <= kTolerance);
    CHECK(fact["half.onnx"].get<double>() <= kHalfTolerance * std::max(1.0, w.largest));
    CHECK(fact["kept.onnx:norms"].get<int>() >= fact["model.onnx:norms"].get<int>());
    worst_half = std::max(worst_half, fact["half.onnx"].get<double>());
  }
  std::printf("%zu networks: largest difference ONNX Runtime %.2e, TorchScript %.2e%s\n", lines.size(), worst_onnx,
              worst_script, more_onnx ? StrCat(", half ", worst_half).c_str() : "");
}

}  // namespace

TEST_CASE("other programs read networks of every op and compute the same", "[export]") {
  CheckNetworks(OpNetworks(), /*more_onnx=*/true);
}

TEST_CASE("other programs read networks of every shipped space and compute the same", "[export]") {
  std::vector<Architecture> networks;
  for (const std::string& space : SearchSpace::List({std::string(NAS_SOURCE_DIR) + "/search_spaces"})) {
    // Photographs of 224 pixels take long; 96 use the same operators.
    const int resolution = LoadSpace(space).resolution() > 96 ? 96 : 0;
    for (const Architecture& a : SampledNetworks(space, 3, resolution)) networks.push_back(a);
  }
  REQUIRE(networks.size() >= 12);
  CheckNetworks(networks, /*more_onnx=*/false);
}

TEST_CASE("other programs read 20 networks of every shipped space at its own resolution", "[.long]") {
  for (const std::string& space : SearchSpace::List({std::string(NAS_SOURCE_DIR) + "/search_spaces"})) {
    CheckNetworks(SampledNetworks(space, 20, 0), /*more_onnx=*/false);
  }
}

TEST_CASE("the metadata of an ONNX file tell how to use it", "[export]") {
  const std::string python = PythonWith("onnx");
  if (python.empty()) return;
  const TempDir dir;
  const Architecture a = SampledNetworks("tiny", 1, 0)[0];
  const Network network = DisturbedNetwork(a);
  const fs::path file = dir.path() / "model.onnx";
  FindExporter("onnx").Export(ModelOf(network), file);
  const SubprocessResult result = RunSubprocess(
      {{python, "-c",
        "import onnx, json, sys; print(json.dumps({p.key: p.value for p in onnx.load(sys.argv[1]).metadata_props}))",
        file.string()},
       "",
       60,
       {}});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  const Json metadata = Json::parse(result.out);
  const JsonDocument arch = JsonDocument::Parse(metadata["nas.arch"].get<std::string>(), "metadata");
  REQUIRE(ArchitectureFromJson(arch) == a);
  const Json steps = Json::parse(metadata["nas.preprocessing"].get<std::string>());
  REQUIRE(steps["resize_short"] == 36);
  REQUIRE(steps["center_crop"] == 32);
  REQUIRE(steps["mean"][0] == 0.5);
  REQUIRE(steps["std"][2] == 0.25);
  REQUIRE(Json::parse(metadata["nas.class_names"].get<std::string>()).size() == 10);
  REQUIRE(metadata["nas.weights"] == "random");
}

}  // namespace nas::test
