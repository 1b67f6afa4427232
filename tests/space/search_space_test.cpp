// SPDX-License-Identifier: Apache-2.0
#include "nas/space/search_space.h"

#include "nas/space/op_catalogue.h"
#include "test_support.h"

using namespace nas;

namespace {

const char* const kShipped[] = {"proxyless-mobile", "cifar-mbconv", "tiny", "macro-cifar"};

Json Tiny() { return JsonDocument::Load(NAS_SOURCE_DIR "/search_spaces/tiny.json").root(); }

std::string SpaceError(const Json& json, const SpaceOptions& options = {}) {
  return InputError([&] { SearchSpace::FromJson(Document(json), options); });
}

}  // namespace

TEST_CASE("Encode is the inverse of Build and Decode of Code, on every space and width") {
  for (const char* name : kShipped) {
    for (const double width : {0.35, 1.0, 1.3}) {
      const SearchSpace space = ShippedSpace(name, {.width_mult = width});
      CounterRng rng(/*seed=*/5);
      for (int n = 0; n < 50; ++n) {
        const Choice choice = space.Sample(rng);
        const Architecture built = space.Build(choice);
        CHECK(space.Encode(built) == choice);
        CHECK(space.Decode(space.Code(choice)) == choice);
        CHECK(built.code == space.Code(choice));
        CHECK(built.space == name);
        // The description alone is enough, through either file form.
        CHECK(space.Encode(ArchitectureFromNetConfig(Document(ToNetConfig(built)), 0)) == choice);
        CHECK(ArchitectureFromJson(Document(ToJson(built))) == built);
        std::int64_t params = space.fixed_params();
        Macs macs = space.fixed_macs();
        for (std::size_t e = 0; e < choice.size(); ++e) {
          params += space.params(static_cast<int>(e), choice[e]);
          macs = macs + space.macs(static_cast<int>(e), choice[e]);
        }
        CHECK(CountParams(built) == params);
        CHECK(CountMacs(built) == macs);
      }
    }
  }
}

TEST_CASE("all networks of tiny differ") {
  const SearchSpace space = ShippedSpace("tiny");
  Choice choice(5, 0);
  int networks = 0;
  while (true) {
    ++networks;
    REQUIRE(space.Encode(space.Build(choice)) == choice);
    std::size_t e = 0;
    while (e < choice.size() && ++choice[e] == space.edges()[e].size()) choice[e++] = 0;
    if (e == choice.size()) break;
  }
  CHECK(networks == 12348);
}

TEST_CASE("networks of other spaces are not encoded") {
  const SearchSpace tiny = ShippedSpace("tiny");
  const SearchSpace cifar = ShippedSpace("cifar-mbconv");
  CHECK_FALSE(tiny.Encode(cifar.Build(Choice(11, 0))).has_value());
  Architecture other = tiny.Build(Choice(5, 0));
  other.layers[2].kernel = 9;
  CHECK_FALSE(tiny.Encode(other).has_value());
  other = tiny.Build(Choice(5, 0));
  other.layers[0].act = Activation::kRelu;
  CHECK_FALSE(tiny.Encode(other).has_value());
  other = tiny.Build(Choice(5, 0));
  other.layers.back().dropout = 0.2;  // training's business
  CHECK(tiny.Encode(other).has_value());
}

TEST_CASE("edges say where they are, what enters and which op costs nothing") {
  for (const char* name : kShipped) {
    const SearchSpace space = ShippedSpace(name);
    const std::vector<MapShape> shapes = InferShapes(space.base());
    int searched = 0;
    for (std::size_t i = 0; i < space.base().layers.size(); ++i)
      searched += space.IsSearched(static_cast<int>(i)) ? 1 : 0;
    CHECK(searched == static_cast<int>(space.edges().size()));
    for (int e = 0; e < static_cast<int>(space.edges().size()); ++e) {
      const Edge& edge = space.edges()[e];
      CHECK(edge.in == shapes[edge.layer]);
      CHECK(edge.name == space.base().layers[edge.layer].name);
      CHECK(space.base().layers[edge.layer] == edge.candidates[0]);
      const bool kept = shapes[edge.layer] == shapes[edge.layer + 1];
      CHECK((edge.skip_op >= 0) == kept);
      for (int o = 0; o < edge.size(); ++o) {
        const bool skip = o == edge.skip_op;
        CHECK((space.macs(e, o).value == 0) == skip);
        CHECK((space.params(e, o) == 0) == skip);
        CHECK(FindOp(edge.candidates[o].op).OutputShape(edge.candidates[o], edge.in) == shapes[edge.layer + 1]);
        if (edge.candidates[o].op == "mbconv") CHECK(edge.candidates[o].skip == kept);
      }
    }
  }
}

TEST_CASE("classes and resolution are the data set's") {
  const SearchSpace own = ShippedSpace("cifar-mbconv");
  const SearchSpace other = ShippedSpace("cifar-mbconv", {.resolution = 64, .classes = 100});
  CHECK(other.classes() == 100);
  CHECK(other.resolution() == 64);
  CHECK(other.supernet_params() - own.supernet_params() == 90 * (512 + 1));
  CHECK(other.macs(0, 0).value == 4 * own.macs(0, 0).value);
  CHECK(other.base().classes() == 100);
}

TEST_CASE("the same seed draws the same networks, and all ops come up") {
  const SearchSpace space = ShippedSpace("macro-cifar");
  CounterRng a(7), b(7), c(8);
  std::vector<std::vector<int>> counts(8, std::vector<int>(3, 0));
  bool differs = false;
  for (int n = 0; n < 600; ++n) {
    const Choice choice = space.Sample(a);
    CHECK(choice == space.Sample(b));
    differs |= choice != space.Sample(c);
    for (std::size_t e = 0; e < 8; ++e) ++counts[e][choice[e]];
  }
  CHECK(differs);
  for (const auto& edge : counts) {
    for (const int count : edge) CHECK(count > 140);  // 200 expected, standard deviation 11.5
  }
}

TEST_CASE("wrong codes and choices name position and legal digits") {
  const SearchSpace space = ShippedSpace("tiny");
  CHECK(Contains(InputError([&] { space.Decode("000"); }), "has 3 digits; space \"tiny\" needs 5"));
  const std::string message = InputError([&] { space.Decode("00900"); });
  CHECK(Contains(message, "'9' at position 3"));
  CHECK(Contains(message, "ops 0 to 6"));
  CHECK(Contains(InputError([&] { space.Decode("0 000"); }), "' ' at position 2"));
  CHECK(Contains(InputError([&] { space.Build(Choice{0, 0, 0}); }), "3 ops"));
  CHECK(Contains(InputError([&] { space.Build(Choice{0, 0, 0, -1, 0}); }), "op -1"));
  CHECK(Contains(InputError([&] { space.Build(Choice{0, 7, 0, 0, 0}); }), "op 7 is not possible on edge 1"));
}

TEST_CASE("more than ten ops use letters") {
  Json json = Tiny();
  for (const int kernel : {9, 11}) {
    for (const int expand : {2, 3, 4, 6})
      json["ops"].push_back({{"op", "mbconv"}, {"kernel", kernel}, {"expand", expand}});
  }
  const SearchSpace space = SearchSpace::FromJson(Document(json), {});
  CHECK(space.edges()[0].size() == 15);
  const Choice choice = {14, 10, 9, 0, 6};
  CHECK(space.Code(choice) == "ea906");
  CHECK(space.Decode("ea906") == choice);
  CHECK(Contains(InputError([&] { space.Decode("fa906"); }), "ops 0 to e"));
}

TEST_CASE("shipped spaces are listed; an unknown one gives the nearest name") {
  const std::vector<std::string> path = {NAS_SOURCE_DIR "/search_spaces", "/nowhere"};
  const std::vector<std::string> names = SearchSpace::List(path);
  for (const char* name : kShipped) CHECK(std::find(names.begin(), names.end(), name) != names.end());
  CHECK(Contains(InputError([&] { SearchSpace::Load("proxyless-mobil", {}, path); }),
                 "did you mean \"proxyless-mobile\"?"));
  CHECK(SearchSpace::Load(NAS_SOURCE_DIR "/search_spaces/tiny.json", {}, {}).name() == "tiny");
}

TEST_CASE("faults of a space file are named with place, value and remedy") {
  Json json = Tiny();
  json["stages"][1]["chanels"] = 4;
  CHECK(Contains(SpaceError(json), "chanels"));
  json = Tiny();
  json["stages"][1].erase("channels");
  CHECK(Contains(SpaceError(json), "channels"));
  json = Tiny();
  json["ops"][0]["kernel"] = 4;
  CHECK(Contains(SpaceError(json), "kernel 4 is even"));
  CHECK(Contains(SpaceError(json), "/ops/0/kernel"));
  json = Tiny();
  json["ops"][1]["expand"] = 3;  // now equal to ops[0]
  CHECK(Contains(SpaceError(json), "ops 0 and 1 are the same"));
  json = Tiny();
  json["ops"] = Json::array({{{"op", "zero"}}});
  CHECK(Contains(SpaceError(json), "no op but zero"));
  json = Tiny();
  json["ops"][0]["op"] = "mbcon";
  CHECK(Contains(SpaceError(json), "mbconv"));
  json = Tiny();
  json["act"] = "relu7";
  CHECK(Contains(SpaceError(json), "relu6"));
  json = Tiny();
  json["stages"] = Json::array();
  CHECK(Contains(SpaceError(json), "at least one stage"));
  json = Tiny();
  json["name"] = "../x";
  CHECK(Contains(SpaceError(json), "is no name"));
  json = Tiny();
  json["schema"] = "nas.space/2";
  CHECK(Contains(SpaceError(json), "nas.space/1"));
  json = Tiny();
  json["stages"][0]["channels"] = 16000;
  CHECK(Contains(SpaceError(json), "hidden channels"));
  CHECK(Contains(SpaceError(Tiny(), {.width_mult = -1}), "width multiplier -1"));
  CHECK(Contains(SpaceError(Tiny(), {.resolution = -3}), "resolution -3"));
  CHECK(Contains(SpaceError(Tiny(), {.classes = -3}), "-3 classes"));
}
