// SPDX-License-Identifier: Apache-2.0
#include "support/torch_test.h"

#include <filesystem>
#include <set>

#include "export/compare.h"
#include "export/fixtures.h"
#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/text.h"
#include "nas/nn/safetensors.h"
#include "nn/nn_support.h"

namespace nas::test {
namespace {

namespace fs = std::filesystem;

VerifyInputs InputsOf(Network& network, std::int64_t n = 9) {
  const at::NoGradGuard no_grad;
  VerifyInputs inputs;
  inputs.images = Images(n, network.architecture().resolution, 5);
  inputs.logits = network.Forward(inputs.images, BnMode::kEval);
  inputs.python = PythonWith("numpy, onnx, onnxruntime");
  return inputs;
}

bool Contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("every format has an exporter of its own file", "[export]") {
  REQUIRE(BuiltinExporters().size() == ExportFormats().size());
  std::set<std::string_view> files;
  for (std::size_t i = 0; i < ExportFormats().size(); ++i) {
    REQUIRE(BuiltinExporters()[i]->format() == ExportFormats()[i].name);
    REQUIRE(files.insert(ExportFormats()[i].file).second);
    REQUIRE(&FindExporter(ExportFormats()[i].name) == BuiltinExporters()[i].get());
  }
}

TEST_CASE("format lists are read, unknown names refused with the list", "[export]") {
  REQUIRE(ParseFormatList("safetensors, onnx,onnx") == std::vector<std::string>{"onnx", "safetensors"});
  for (const char* bad : {"onx", "onnx,torchscripts", "pickle"}) {
    INFO(bad);
    try {
      ParseFormatList(bad);
      FAIL("accepted");
    } catch (const Error& error) {
      REQUIRE(error.kind() == ErrorKind::kUsage);
      for (const ExportFormat& format : ExportFormats()) REQUIRE(Contains(error.what(), std::string(format.name)));
    }
  }
  REQUIRE_THROWS_AS(ParseFormatList(" , "), Error);
}

TEST_CASE("what runs without Python verifies on networks of every op", "[export]") {
  const TempDir dir;
  for (const Architecture& a : OpNetworks()) {
    INFO(a.name);
    Network network = DisturbedNetwork(a);
    const VerifyInputs inputs = InputsOf(network);
    const ExportModel model = ModelOf(network);
    for (const char* format : {"torchscript", "safetensors", "state-dict"}) {
      INFO(format);
      const Exporter& exporter = FindExporter(format);
      const fs::path file = dir.path() / "file";
      exporter.Export(model, file);
      const VerifyResult result = exporter.Verify(model, file, inputs);
      INFO(result.fault);
      REQUIRE(result.ok());
      REQUIRE(result.top1_agreement == 1.0);
      if (std::string(format) != "torchscript") REQUIRE(result.max_difference == 0.0);
    }
  }
}

TEST_CASE("architecture formats read back as the same network", "[export]") {
  const TempDir dir;
  for (const char* space : {"tiny", "cifar-mbconv", "proxyless-mobile", "macro-cifar"}) {
    for (const Architecture& a : SampledNetworks(space, 2, 0)) {
      INFO(a.name);
      const Network network(a, 1);
      const ExportModel model = ModelOf(network);
      const fs::path file = dir.path() / "file";
      FindExporter("net.config").Export(model, file);
      REQUIRE(FindExporter("net.config").Verify(model, file, {}).ok());
      if (std::string(space) == "macro-cifar") {
        REQUIRE_THROWS_AS(FindExporter("timm").Export(model, file), Error);
      } else {
        FindExporter("timm").Export(model, file);
        REQUIRE(FindExporter("timm").Verify(model, file, {}).ok());
      }
    }
  }
}

TEST_CASE("a file of another network fails its verification", "[export]") {
  const TempDir dir;
  const std::vector<Architecture> two = SampledNetworks("tiny", 2, 0);
  Network network = DisturbedNetwork(two[0]);
  Network other_weights = DisturbedNetwork(two[0], 4);
  Network other_network = DisturbedNetwork(two[1]);
  const VerifyInputs inputs = InputsOf(network);
  const ExportModel model = ModelOf(network);
  for (const ExportFormat& format : ExportFormats()) {
    if (format.name == "onnx" && inputs.python.empty()) continue;
    INFO(format.name);
    const Exporter& exporter = FindExporter(format.name);
    const bool has_weights = format.name != "net.config" && format.name != "timm";
    const fs::path file = dir.path() / std::string(format.file);
    exporter.Export(model, file);
    REQUIRE(exporter.Verify(model, file, inputs).ok());
    exporter.Export(ModelOf(has_weights ? other_weights : other_network), file);
    const VerifyResult result = exporter.Verify(model, file, inputs);
    REQUIRE_FALSE(result.ok());
    REQUIRE_FALSE(result.fault.empty());
    const std::string whole = ReadFile(file);
    WriteFileAtomic(file, whole.substr(0, whole.size() / 2));
    REQUIRE_FALSE(exporter.Verify(model, file, inputs).ok());
  }
}

TEST_CASE("differences count relative to the logits, however small", "[export]") {
  const at::Tensor logits = Images(2, 4, 7).reshape({8, 12}) * 1e-9;
  const auto fault = [&](const at::Tensor& got, double least_scale) {
    VerifyResult result;
    detail::CompareLogits(got, logits, detail::kFloatTolerance, &result, least_scale);
    return !result.ok();
  };
  REQUIRE_FALSE(fault(logits * (1 + 1e-6), 0));
  REQUIRE(fault(logits * 1.01, 0));
  REQUIRE_FALSE(fault(logits * 1.01, 1));
  REQUIRE(fault(logits / at::zeros_like(logits), 1));
  REQUIRE(fault(logits.reshape({4, 24}), 1));
}

TEST_CASE("half precision agrees to its own precision, and no better", "[export]") {
  const TempDir dir;
  Network network = DisturbedNetwork(SampledNetworks("tiny", 1, 0)[0]);
  const VerifyInputs inputs = InputsOf(network);
  if (inputs.python.empty()) return;
  ExportModel model = ModelOf(network);
  const Exporter& onnx = FindExporter("onnx");
  onnx.Export(model, dir.path() / "full.onnx");
  model.fp16 = true;
  onnx.Export(model, dir.path() / "half.onnx");
  REQUIRE(fs::file_size(dir.path() / "half.onnx") < 3 * fs::file_size(dir.path() / "full.onnx") / 4);
  REQUIRE(onnx.Verify(model, dir.path() / "half.onnx", inputs).ok());
  model.fp16 = false;
  REQUIRE_FALSE(onnx.Verify(model, dir.path() / "half.onnx", inputs).ok());
}

TEST_CASE("an interpreter without ONNX Runtime is named with the remedy", "[export]") {
  const TempDir dir;
  Network network = DisturbedNetwork(SampledNetworks("tiny", 1, 0)[0]);
  VerifyInputs inputs = InputsOf(network);
  const ExportModel model = ModelOf(network);
  FindExporter("onnx").Export(model, dir.path() / "model.onnx");
  WriteFileAtomic(dir.path() / "bare", "#!/bin/sh\necho \"No module named 'onnxruntime'\" >&2\nexit 3\n");
  fs::permissions(dir.path() / "bare", fs::perms::owner_all);
  for (const std::string& python : {(dir.path() / "none").string(), (dir.path() / "bare").string()}) {
    inputs.python = python;
    try {
      FindExporter("onnx").Verify(model, dir.path() / "model.onnx", inputs);
      FAIL("verified");
    } catch (const Error& error) {
      INFO(error.what());
      REQUIRE(error.kind() == ErrorKind::kUnavailable);
      REQUIRE(Contains(error.what(), python));
      REQUIRE(Contains(error.what(), "pip install onnxruntime"));
    }
  }
}

TEST_CASE("training the TorchScript file leaves the network alone", "[export]") {
  const TempDir dir;
  Network network = DisturbedNetwork(SampledNetworks("tiny", 1, 0)[0]);
  const auto before = Snapshot(network.NamedTensors());
  FindExporter("torchscript").Export(ModelOf(network), dir.path() / "model.pt");
  REQUIRE(Changed(before, network.NamedTensors()).empty());
  for (const auto& [name, tensor] : network.NamedParameters()) REQUIRE(tensor.requires_grad());
}

}  // namespace nas::test
