// SPDX-License-Identifier: Apache-2.0
#include "support/torch_test.h"

#include <cstring>
#include <filesystem>

#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/subprocess.h"
#include "nas/core/text.h"
#include "nas/nn/safetensors.h"
#include "nn/nn_support.h"

namespace nas::test {

namespace {

NamedTensorList AllTypes() {
  return {{"odd", at::tensor({1, 2, 3}, at::kByte)},
          {"f32", at::linspace(-1, 1, 6, at::kFloat).view({2, 3})},
          {"f64", at::linspace(-1, 1, 6, at::kDouble).view({3, 2})},
          {"bf16", at::linspace(-1, 1, 5, at::kFloat).to(at::kBFloat16)},
          {"f16", at::linspace(-1, 1, 5, at::kFloat).to(at::kHalf)},
          {"scalar", at::scalar_tensor(42, at::kLong)},
          {"i32", at::arange(4, at::kInt)},
          {"flags", at::tensor({1, 0, 1}, at::kByte).to(at::kBool)},
          {"empty", at::empty({0, 4}, at::kFloat)},
          {"naïve \"name\"\n", at::ones({1}, at::kFloat)},
          {"conv", at::arange(48, at::kFloat).view({2, 3, 2, 4}).contiguous(at::MemoryFormat::ChannelsLast)},
          {"grad", at::ones({2}, at::kFloat).requires_grad_(true)}};
}

SubprocessResult Python(const std::vector<std::string>& argv) {
  SubprocessOptions options;
  options.argv = argv;
  options.deadline_s = 120;
  return RunSubprocess(options);
}

std::string FileOf(std::string header, const std::string& data) {
  const std::uint64_t size = header.size();
  std::string content(8, '\0');
  std::memcpy(content.data(), &size, 8);
  return content + header + data;
}

std::string FaultOf(const std::filesystem::path& path, const std::string& content) {
  WriteFileAtomic(path, content);
  try {
    ReadSafetensors(path);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kInput);
    CHECK(std::string(error.what()).find(path.filename().string()) != std::string::npos);
    return error.what();
  }
  return "read without a fault";
}

}  // namespace

TEST_CASE("safetensors round trip", "[nn]") {
  const TempDir folder;
  const std::filesystem::path path = folder.path() / "all.safetensors";
  const NamedTensorList tensors = AllTypes();
  WriteSafetensors(path, tensors, {{"format", "pt"}, {"käse", "1"}});
  const SafetensorsFile file = ReadSafetensors(path);
  CHECK(file.metadata == std::map<std::string, std::string>{{"format", "pt"}, {"käse", "1"}});
  REQUIRE(file.tensors.size() == tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    INFO(tensors[i].first);
    CHECK(file.tensors[i].first == tensors[i].first);
    CHECK(file.tensors[i].second.scalar_type() == tensors[i].second.scalar_type());
    CHECK(file.tensors[i].second.is_contiguous());
    CHECK(at::equal(file.tensors[i].second, tensors[i].second.detach()));
  }
  const std::string bytes = ReadFile(path);
  std::uint64_t header = 0;
  std::memcpy(&header, bytes.data(), 8);
  CHECK(header % 8 == 0);

  WriteSafetensors(path, {}, {});
  CHECK(ReadSafetensors(path).tensors.empty());
}

TEST_CASE("a cut file is told at every length", "[nn]") {
  const TempDir folder;
  const std::filesystem::path path = folder.path() / "cut.safetensors";
  WriteSafetensors(path, {{"a", at::ones({3})}, {"b", at::ones({2}, at::kLong)}}, {});
  const std::string whole = ReadFile(path);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    INFO(length);
    CHECK(FaultOf(path, whole.substr(0, length)).find("truncated") != std::string::npos);
  }
  CHECK(FaultOf(path, whole + "x").find("hole") != std::string::npos);
}

TEST_CASE("damaged safetensors files are refused with the fault", "[nn]") {
  const TempDir folder;
  const std::filesystem::path path = folder.path() / "bad.safetensors";
  const std::string eight(8, '\0');
  const auto entry = [](const std::string& name, const std::string& shape, int begin, int end) {
    return StrCat("\"", name, R"(":{"dtype":"F32","shape":)", shape, R"(,"data_offsets":[)", begin, ",", end, "]}");
  };
  const std::vector<std::pair<std::string, std::string>> faults{
      {FileOf("[]", ""), "'{'"},
      {FileOf("", ""), "'{'"},
      {FileOf("{", ""), "not JSON"},
      {FileOf("{} x", ""), "not JSON"},
      {FileOf("{/* no comments */}", ""), "not JSON"},
      {FileOf("{\"\xff\":1}", ""), "not JSON"},
      {FileOf("{\"a\":1}", ""), "not an object"},
      {FileOf("{" + entry("a", "[2]", 0, 8) + "," + entry("a", "[2]", 0, 8) + "}", eight), "repeats the key \"a\""},
      {FileOf(R"({"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}})", eight), "repeats"},
      {FileOf(R"({"a":{"dtype":"F32","shape":[2]}})", eight), "lacks the key \"data_offsets\""},
      {FileOf(R"({"a":{"dtype":"F32","data_offsets":[0,8]}})", eight), "lacks the key \"shape\""},
      {FileOf(R"({"a":{"shape":[2],"data_offsets":[0,8]}})", eight), "lacks the key \"dtype\""},
      {FileOf(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}})", eight), "unknown key \"x\""},
      {FileOf(R"({"a":{"dtype":"Q4","shape":[2],"data_offsets":[0,8]}})", eight), "unknown dtype \"Q4\""},
      {FileOf(R"({"a":{"dtype":7,"shape":[2],"data_offsets":[0,8]}})", eight), "unknown dtype 7"},
      {FileOf(R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", eight), "whole numbers"},
      {FileOf(R"({"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}})", eight), "whole numbers"},
      {FileOf(R"({"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}})", eight), "whole numbers"},
      {FileOf(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", eight), "ascending"},
      {FileOf(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4,8]}})", eight), "ascending"},
      {FileOf(R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}})", ""), "overflows"},
      {FileOf(R"({"a":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,8]}})", eight), "overflows"},
      {FileOf(R"({"a":{"dtype":"F32","shape":[0,4611686018427387904],"data_offsets":[0,0]}})", ""), "overflows"},
      {FileOf("{" + entry("a", "[3]", 0, 8) + "}", eight), "whose shape needs 12"},
      {FileOf("{" + entry("a", "[1]", 0, 4) + "," + entry("b", "[2]", 0, 8) + "}", eight), "overlap"},
      {FileOf("{" + entry("a", "[1]", 4, 8) + "}", eight), "hole of 4 bytes before"},
      {FileOf("{" + entry("a", "[1]", 0, 4) + "}", eight), "hole of 4 bytes at its end"},
      {FileOf("{" + entry("a", "[4]", 0, 16) + "}", eight), "truncated"},
      {FileOf(R"({"__metadata__":{"a":1}})", ""), "not text"},
      {FileOf(R"({"__metadata__":[]})", ""), "not an object"},
      {FileOf(R"({"a":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}})", "\x02"), "neither 0 nor 1"},
      {std::string("\x00\xe1\xf5\x05\x01\x00\x00\x00", 8) + "{}", "at most 100 MB"},
      {std::string("\xff\xff\xff\xff\xff\xff\xff\xff", 8) + "{}", "at most 100 MB"},
      {std::string("\x01\xe1\xf5\x05\x00\x00\x00\x00", 8) + "{}", "at most 100 MB"}};
  for (const auto& [content, fault] : faults) {
    INFO(content.substr(8));
    CHECK(FaultOf(path, content).find(fault) != std::string::npos);
  }
  try {
    ReadSafetensors(folder.path() / "absent.safetensors");
    FAIL("read a file that is not there");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kInput);
  }
}

TEST_CASE("a random flip of one header byte never crashes the reader", "[nn]") {
  const TempDir folder;
  const std::filesystem::path path = folder.path() / "flip.safetensors";
  WriteSafetensors(path, AllTypes(), {{"format", "pt"}});
  const std::string whole = ReadFile(path);
  CounterRng rng(1);
  for (int i = 0; i < 300; ++i) {
    std::string damaged = whole;
    damaged[rng.Below(std::min<std::size_t>(whole.size(), 1100))] = static_cast<char>(rng.Below(256));
    WriteFileAtomic(path, damaged);
    try {
      ReadSafetensors(path);
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::kInput);
    }
  }
}

TEST_CASE("unwritable places are input errors", "[nn]") {
  try {
    WriteSafetensors("/proc/nowhere/x.safetensors", {{"a", at::ones({1})}}, {});
    FAIL("written");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kInput);
  }
}

TEST_CASE("the reference library reads what is written, and the other way round", "[nn]") {
  const std::string python = std::string(NAS_SOURCE_DIR) + "/.venv/bin/python";
  if (!std::filesystem::exists(python) || Python({python, "-c", "import safetensors.torch"}).exit_code != 0) {
    WARN("no python with safetensors: files are not cross-checked");
    return;
  }
  const TempDir folder;
  const std::string path = (folder.path() / "ours.safetensors").string();
  const std::string back = (folder.path() / "theirs.safetensors").string();
  WriteSafetensors(path, AllTypes(), {{"format", "pt"}});
  const std::string program =
      "import sys, torch\n"
      "from safetensors import safe_open\n"
      "from safetensors.torch import load_file, save_file\n"
      "t = load_file(sys.argv[1])\n"
      "assert torch.equal(t['conv'], torch.arange(48.).view(2, 3, 2, 4))\n"
      "assert t['scalar'].item() == 42 and t['flags'].tolist() == [True, False, True]\n"
      "assert safe_open(sys.argv[1], 'pt').metadata() == {'format': 'pt'}\n"
      "save_file(t, sys.argv[2], {'by': 'them'})\n";
  const SubprocessResult result = Python({python, "-c", program, path, back});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  const SafetensorsFile file = ReadSafetensors(back);
  CHECK(file.metadata.at("by") == "them");
  std::map<std::string, at::Tensor> tensors(file.tensors.begin(), file.tensors.end());
  for (const auto& [name, tensor] : AllTypes()) {
    INFO(name);
    CHECK(at::equal(tensors.at(name), tensor.detach()));
  }
}

}  // namespace nas::test
