// SPDX-License-Identifier: Apache-2.0
#include "support/torch_test.h"

#include <filesystem>
#include <set>

#include "export/fixtures.h"
#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/hash.h"
#include "nas/export/export_network.h"
#include "nn/nn_support.h"

namespace nas::test {
namespace {

namespace fs = std::filesystem;

std::set<std::string> Files(const fs::path& folder) {
  std::set<std::string> names;
  if (!fs::exists(folder)) return names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename().string());
  return names;
}

Passport PassportOf(const Architecture& a) {
  Passport passport;
  passport.architecture = a;
  passport.params = CountParams(a);
  passport.macs = CountMacs(a).value;
  passport.weights = "random";
  passport.image_steps = Json::object();
  passport.versions = Json::object();
  passport.machine = Json::object();
  passport.created = "2026-01-01T00:00:00Z";
  return passport;
}

}  // namespace

TEST_CASE("an export has its files, their hashes, and nothing else", "[export]") {
  const TempDir dir;
  const Architecture a = SampledNetworks("tiny", 1, 0)[0];
  const Network network = DisturbedNetwork(a);
  ExportPlan plan{dir.path() / "deep" / "out", {"onnx", "safetensors", "timm"}, false, std::nullopt};
  Passport passport = PassportOf(a);
  ExportNetwork(ModelOf(network), plan, &passport);
  REQUIRE(Files(plan.out) == std::set<std::string>{"model.onnx", "model.safetensors", "arch.timm", "passport.json"});
  const Passport read = PassportFromJson(JsonDocument::Load((plan.out / "passport.json").string()));
  REQUIRE(read.exported.size() == 3);
  for (const PassportFile& file : read.exported) {
    REQUIRE(file.hash == HashFile(plan.out / file.path));
    REQUIRE_FALSE(file.verified.has_value());
  }
  REQUIRE(read.architecture == a);
  REQUIRE(PassportWeights(read, plan.out) == plan.out / "model.safetensors");

  SECTION("a second export is refused, unless forced") {
    Passport again = PassportOf(a);
    REQUIRE_THROWS_AS(ExportNetwork(ModelOf(network), plan, &again), Error);
    plan.force = true;
    ExportNetwork(ModelOf(network), plan, &again);
    REQUIRE(Files(plan.out).size() == 4);
  }
  SECTION("the same network gives the same bytes") {
    ExportPlan twin = plan;
    twin.out = dir.path() / "twin";
    Passport other = PassportOf(a);
    ExportNetwork(ModelOf(network), twin, &other);
    for (const char* file : {"model.onnx", "model.safetensors", "arch.timm"}) {
      REQUIRE(HashFile(plan.out / file) == HashFile(twin.out / file));
    }
  }
  SECTION("checks find what was changed or removed") {
    const auto outcome = [&](const std::string& what) {
      for (const PassportCheck& check : CheckPassport(read, plan.out)) {
        if (check.what == what) return check.status;
      }
      FAIL("no check of " << what);
      return PassportCheck::Status::kUnchecked;
    };
    REQUIRE(outcome("params") == PassportCheck::Status::kHolds);
    REQUIRE(outcome("MACs") == PassportCheck::Status::kHolds);
    REQUIRE(outcome("onnx model.onnx") == PassportCheck::Status::kHolds);
    WriteFileAtomic(plan.out / "model.onnx", ReadFile(plan.out / "model.onnx") + "x");
    fs::remove(plan.out / "arch.timm");
    REQUIRE(outcome("onnx model.onnx") == PassportCheck::Status::kDiffers);
    REQUIRE(outcome("timm arch.timm") == PassportCheck::Status::kDiffers);
    REQUIRE(outcome("safetensors model.safetensors") == PassportCheck::Status::kHolds);
    WriteFileAtomic(plan.out / "model.safetensors", "x");
    REQUIRE(PassportWeights(read, plan.out).empty());
  }
}

TEST_CASE("a failed export leaves the place as it was", "[export]") {
  const TempDir dir;
  const Architecture a = SampledNetworks("tiny", 1, 0)[0];
  Network network = DisturbedNetwork(a);
  const at::NoGradGuard no_grad;
  ExportPlan plan{dir.path() / "out" / "deep", {"torchscript", "safetensors"}, false, std::nullopt};
  Passport passport = PassportOf(a);

  SECTION("a difference is a failed verification") {
    VerifyInputs inputs;
    inputs.images = Images(8, a.resolution, 1);
    inputs.logits = network.Forward(inputs.images, BnMode::kEval) + 0.01;
    plan.verify = inputs;
    try {
      ExportNetwork(ModelOf(network), plan, &passport);
      FAIL("exported");
    } catch (const Error& error) {
      REQUIRE(error.kind() == ErrorKind::kVerification);
      REQUIRE(std::string(error.what()).find("model.pt") != std::string::npos);
    }
    REQUIRE(Files(dir.path()).empty());
  }
  SECTION("a network that a format cannot express") {
    const Architecture macro = SampledNetworks("macro-cifar", 1, 0)[0];
    const Network other(macro, 1);
    plan.formats = {"safetensors", "timm"};
    Passport its = PassportOf(macro);
    REQUIRE_THROWS_AS(ExportNetwork(ModelOf(other), plan, &its), Error);
    REQUIRE(Files(dir.path()).empty());
  }
  SECTION("files of an earlier export survive") {
    ExportNetwork(ModelOf(network), plan, &passport);
    const std::string before = HashFile(plan.out / "model.pt");
    VerifyInputs inputs;
    inputs.images = Images(8, a.resolution, 1);
    inputs.logits = network.Forward(inputs.images, BnMode::kEval) + 0.01;
    plan.verify = inputs;
    plan.force = true;
    Passport again = PassportOf(a);
    REQUIRE_THROWS_AS(ExportNetwork(ModelOf(network), plan, &again), Error);
    REQUIRE(HashFile(plan.out / "model.pt") == before);
    REQUIRE(Files(plan.out) == std::set<std::string>{"model.pt", "model.safetensors", "passport.json"});
  }
  SECTION("a file in the way") {
    WriteFileAtomic(dir.path() / "out", "x");
    REQUIRE_THROWS_AS(ExportNetwork(ModelOf(network), plan, &passport), Error);
    REQUIRE(Files(dir.path()) == std::set<std::string>{"out"});
  }
}

}  // namespace nas::test
