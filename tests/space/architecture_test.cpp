// SPDX-License-Identifier: Apache-2.0
#include "nas/space/architecture.h"

#include "nas/core/files.h"
#include "test_support.h"

using namespace nas;

TEST_CASE("shapes run from the image to the classes") {
  const SearchSpace space = ShippedSpace("proxyless-mobile");
  const Architecture net = space.Build(Choice(21, 0));
  const std::vector<MapShape> shapes = InferShapes(net);
  REQUIRE(shapes.size() == net.layers.size() + 1);
  CHECK(shapes.front() == MapShape{224, 3});
  CHECK(shapes[1] == MapShape{112, 32});
  CHECK(shapes[net.layers.size() - 2] == MapShape{7, 1280});
  CHECK(shapes[net.layers.size() - 1] == MapShape{1, 1280});
  CHECK(shapes.back() == MapShape{1, 1000});
  CHECK(net.classes() == 1000);
  CHECK(Depth(net) == 22);
}

TEST_CASE("the described layers add up") {
  const SearchSpace space = ShippedSpace("macro-cifar");
  const Architecture net = space.Build(Choice{0, 0, 2, 1, 0, 2, 0, 1});
  const Json rows = DescribeLayers(net);
  REQUIRE(rows.size() == net.layers.size());
  std::int64_t params = 0, macs = 0;
  for (const Json& row : rows) {
    for (const char* key : {"name", "label", "op", "in", "out", "params", "macs"}) CHECK(row.contains(key));
    params += row["params"].get<std::int64_t>();
    macs += row["macs"].get<std::int64_t>();
  }
  CHECK(params == CountParams(net));
  CHECK(macs == CountMacs(net).value);
  CHECK(rows[1]["label"] == "conv1x1 s2");
  CHECK(rows[2]["label"] == "Zero");
  CHECK(rows[3]["label"] == "k5e6");
  CHECK(rows[3]["in"] == Json({16, 16, 64}));
  CHECK(rows[3]["out"] == Json({8, 8, 128}));
  CHECK(rows[3]["kernel"] == 5);
  CHECK(rows[3]["mid"] == 384);
  CHECK(rows[3]["stride"] == 2);
  CHECK(rows[3]["act"] == "relu");
  CHECK(rows[3]["skip"] == false);
  CHECK(Depth(net) == 5);
}

TEST_CASE("a count beyond 64 bits is an error, not a wrong number") {
  Architecture net;
  net.resolution = 4096;
  Layer layer;
  layer.op = "conv";
  layer.kernel = 31;
  layer.in_channels = 3;
  layer.out_channels = 16384;
  net.layers.push_back(layer);
  layer.in_channels = 16384;
  for (int i = 0; i < 4; ++i) net.layers.push_back(layer);
  CHECK(CountParams(net) > 0);
  CHECK(Contains(InputError([&] { CountMacs(net); }), "does not fit in 64 bits"));
}

TEST_CASE("a resolution that no network takes") {
  Architecture net = ShippedSpace("tiny").base();
  for (const int resolution : {0, -5, 5000}) {
    net.resolution = resolution;
    CHECK(Contains(InputError([&] { InferShapes(net); }), "resolution"));
  }
}

TEST_CASE("files of every form are told apart by what they say") {
  const TempDir folder;
  const SearchSpace space = ShippedSpace("tiny");
  const Architecture net = space.Build(Choice(5, 1));
  const auto write = [&](const char* name, const Json& json) {
    const std::string path = (folder.path() / name).string();
    WriteFileAtomic(path, PrettyDump(json));
    return path;
  };
  CHECK(LoadArchitecture(write("arch.json", ToJson(net))) == net);
  CHECK(LoadArchitecture(folder.path().string()) == net);
  CHECK(LoadArchitecture(write("x.config", ToNetConfig(net))).layers == net.layers);
  CHECK(LoadArchitecture(write("x.timm", ToTimm(net))).layers == net.layers);
  CHECK(LoadArchitecture((folder.path() / "x.config").string()).name == "x");

  Json config = ToNetConfig(net);
  config.erase("resolution");
  write("run.config", {{"image_size", 48}, {"n_epochs", 150}});
  CHECK(LoadArchitecture(write("y.config", config)).resolution == 48);
  CHECK(LoadArchitecture((folder.path() / "x.config").string()).resolution == 32);
  CHECK(Contains(InputError([&] { LoadArchitecture(write("z.json", {{"a", 1}})); }), "no network description"));
  CHECK(Contains(InputError([&] { LoadArchitecture((folder.path() / "none").string()); }), "none"));
}
