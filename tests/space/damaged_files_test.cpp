// SPDX-License-Identifier: Apache-2.0
// Any damage to a file of any form ends in a kInput error that says where, or in a network that can be counted.
#include "family_nets.h"

using namespace nas;

namespace {

/// All values of a document, as pointers.
void Collect(const Json& value, const Json::json_pointer& at, std::vector<Json::json_pointer>& pointers) {
  pointers.push_back(at);
  if (value.is_object()) {
    for (const auto& member : value.items()) Collect(member.value(), at / member.key(), pointers);
  } else if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i) Collect(value[i], at / i, pointers);
  }
}

Json OddValue(CounterRng& rng) {
  const Json values[] = {nullptr,
                         true,
                         -1,
                         0,
                         1,
                         2,
                         7,
                         1e300,
                         -8,
                         "",
                         "x",
                         "ir",
                         0.5,
                         1e-300,
                         Json::array(),
                         Json::object(),
                         16384,
                         16385,
                         4294967296,
                         9223372036854775807,
                         "relu",
                         Json::array({8}),
                         Json::array({3, 3}),
                         4096};
  return values[rng.Below(std::size(values))];
}

Json Damage(const Json& original, CounterRng& rng) {
  std::vector<Json::json_pointer> pointers;
  Collect(original, Json::json_pointer(), pointers);
  Json damaged = original;
  const std::uint64_t faults = 1 + rng.Below(2);
  for (std::uint64_t n = 0; n < faults; ++n) {
    const Json::json_pointer& at = pointers[rng.Below(pointers.size())];
    if (!damaged.contains(at)) continue;
    Json& value = damaged[at];
    switch (rng.Below(4)) {
      case 0:
        value = OddValue(rng);
        break;
      case 1:
        if (value.is_object()) value["unknown"] = 1;
        break;
      case 2:
        if (value.is_structured() && !value.empty()) {
          auto member = value.begin();
          std::advance(member, static_cast<std::ptrdiff_t>(rng.Below(value.size())));
          value.erase(member);
        }
        break;
      default:
        if (value.is_number_integer()) {
          value = value.get<std::int64_t>() + static_cast<std::int64_t>(rng.Below(5)) - 2;
        } else {
          value = original.at(pointers[rng.Below(pointers.size())]);
        }
    }
  }
  return damaged;
}

template <typename Read>
void Survives(const Json& original, int rounds, std::uint64_t seed, const Read& read) {
  CounterRng rng(seed);
  int errors = 0;
  for (int n = 0; n < rounds; ++n) {
    std::string text = Damage(original, rng).dump();
    if (rng.Below(8) == 0) text.resize(rng.Below(text.size()));
    if (rng.Below(8) == 0 && !text.empty()) text[rng.Below(text.size())] = static_cast<char>(rng.Below(256));
    try {
      read(JsonDocument::Parse(text, "damaged.json"));
    } catch (const Error& error) {
      ++errors;
      const std::string message = error.what();
      CAPTURE(text.substr(0, 2000), message);
      CHECK(error.kind() == ErrorKind::kInput);
      CHECK((Contains(message, "damaged.json") || Contains(message, "does not fit in 64 bits")));
    }
  }
  CHECK(errors > rounds / 4);
}

void ReadNetwork(const JsonDocument& document) {
  const Architecture net = ArchitectureFromAnyJson(document);
  CHECK(CountParams(net) >= 0);
  CHECK(CountMacs(net).value >= 0);
  CHECK(Depth(net) >= 0);
  CHECK(DescribeLayers(net).size() == net.layers.size());
  const Architecture again = ArchitectureFromJson(Document(ToJson(net)));
  CHECK(again == net);
}

}  // namespace

TEST_CASE("damaged networks end in an error with its place") {
  const Architecture tiny = ShippedSpace("tiny").Build(Choice{0, 1, 6, 3, 0});
  CounterRng rng(/*seed=*/2);
  Json tree = PyramidTree(rng).Config();
  tree["blocks"].erase(tree["blocks"].begin() + 3, tree["blocks"].end() - 1);  // shorter, and still all kinds
  Json resnet = ResNet50Config(true);
  resnet["blocks"].erase(resnet["blocks"].begin() + 2, resnet["blocks"].end());
  resnet["classifier"]["in_features"] = 256;
  Survives(ToNetConfig(tiny), 3000, 1, ReadNetwork);
  Survives(ToJson(tiny), 3000, 2, ReadNetwork);
  Survives(ToTimm(tiny), 3000, 3, ReadNetwork);
  Survives(resnet, 1500, 4, ReadNetwork);
  Survives(tree, 1500, 5, ReadNetwork);
}

TEST_CASE("damaged spaces end in an error with its place") {
  for (const char* name : {"tiny", "macro-cifar"}) {
    const Json space = JsonDocument::Load(std::string(NAS_SOURCE_DIR "/search_spaces/") + name + ".json").root();
    Survives(space, 2000, 6, [](const JsonDocument& document) {
      const SearchSpace read = SearchSpace::FromJson(document, {});
      CHECK(read.alphas() >= static_cast<int>(read.edges().size()));
      CounterRng rng(1);
      const Choice choice = read.Sample(rng);
      CHECK(read.Encode(read.Build(choice)) == choice);
      CHECK(read.supernet_params() > 0);
    });
  }
}
