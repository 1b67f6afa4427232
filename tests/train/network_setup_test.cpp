// SPDX-License-Identifier: Apache-2.0
#include "nas/train/network_setup.h"

#include <string>

#include "core/expect_error.h"
#include "support/aten_test.h"
#include "train/fixtures.h"

namespace nas {
namespace {

using testing::MessageOf;
using testing::TinyNetwork;

bool Contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

bool Equal(const NamedTensorList& a, const NamedTensorList& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].first != b[i].first || !at::equal(a[i].second, b[i].second)) return false;
  }
  return true;
}

TEST_CASE("the classifier takes the width of the data, and only it changes") {
  const Architecture ten = TinyNetwork(10);
  CHECK(WithClasses(ten, 10) == ten);
  const Architecture three = WithClasses(ten, 3);
  CHECK(three.classes() == 3);
  // 64 features: 7 rows and 7 biases less.
  CHECK(CountParams(three) == CountParams(ten) - 7 * 65);
  Architecture back = three;
  back.layers.back().out_channels = 10;
  CHECK(back == ten);

  Architecture headless = ten;
  headless.layers.pop_back();
  CHECK(Contains(MessageOf(ErrorKind::kInput, [&] { WithClasses(headless, 3); }), "linear head"));
}

TEST_CASE("weights go through a file bit for bit, with what a reader needs") {
  TempDir temp;
  const Architecture architecture = TinyNetwork();
  Network first(architecture, 1);
  Network second(architecture, 2);
  REQUIRE_FALSE(Equal(first.NamedTensors(), second.NamedTensors()));
  WriteWeights(temp.path() / "w.safetensors", architecture, first.NamedTensors(), {{"nas.top1", "0.5"}});
  CHECK(LoadWeights(second, temp.path() / "w.safetensors", /*may_differ_in_classifier=*/false).empty());
  CHECK(Equal(first.NamedTensors(), second.NamedTensors()));

  const SafetensorsFile file = ReadSafetensors(temp.path() / "w.safetensors");
  CHECK(file.metadata.at("nas.schema") == "nas.weights/1");
  CHECK(file.metadata.at("nas.top1") == "0.5");
  CHECK(ArchitectureFromJson(JsonDocument::Parse(file.metadata.at("nas.arch"), "metadata")) == architecture);
}

TEST_CASE("a classifier for other classes starts fresh, with a notice, where that is allowed") {
  TempDir temp;
  const Architecture ten = TinyNetwork(10);
  Network trained(ten, 1);
  WriteWeights(temp.path() / "w.safetensors", ten, trained.NamedTensors(), {});
  Network network(WithClasses(ten, 4), 2);
  const NamedTensorList fresh = [&] {
    NamedTensorList copy;
    for (const auto& [name, tensor] : network.NamedTensors()) copy.emplace_back(name, tensor.detach().clone());
    return copy;
  }();
  CHECK(Contains(MessageOf(ErrorKind::kInput, [&] { LoadWeights(network, temp.path() / "w.safetensors", false); }),
                 "classifier"));
  const std::string notice = LoadWeights(network, temp.path() / "w.safetensors", /*may_differ_in_classifier=*/true);
  CHECK(Contains(notice, "classifier"));
  const NamedTensorList loaded = network.NamedTensors();
  const NamedTensorList given = trained.NamedTensors();
  for (std::size_t i = 0; i < loaded.size(); ++i) {
    INFO(loaded[i].first);
    const bool head = loaded[i].first.rfind("classifier", 0) == 0;
    CHECK(at::equal(loaded[i].second, head ? fresh[i].second : given[i].second));
  }
}

TEST_CASE("weights of another network are refused, naming file and the first tensor") {
  TempDir temp;
  const auto file = temp.path() / "w.safetensors";
  const Architecture other = TinyNetwork(10, {0, 1, 6, 3, 0});  // k3e3 instead of k3e6 on the first edge
  WriteWeights(file, other, Network(other, 1).NamedTensors(), {});
  Network network(TinyNetwork(), 2);
  const std::string shape = MessageOf(ErrorKind::kInput, [&] { LoadWeights(network, file, true); });
  CHECK(Contains(shape, file.string()));
  CHECK(Contains(shape, "inverted_bottleneck.conv.weight"));

  NamedTensorList tensors = network.NamedTensors();
  const std::string gone = tensors[3].first;
  tensors.erase(tensors.begin() + 3);
  WriteWeights(file, network.architecture(), tensors, {});
  CHECK(Contains(MessageOf(ErrorKind::kInput, [&] { LoadWeights(network, file, true); }), "no tensor " + gone));

  tensors = network.NamedTensors();
  tensors.emplace_back("extra.weight", at::zeros({2}));
  WriteWeights(file, network.architecture(), tensors, {});
  CHECK(Contains(MessageOf(ErrorKind::kInput, [&] { LoadWeights(network, file, true); }), "extra.weight"));
}

}  // namespace
}  // namespace nas
