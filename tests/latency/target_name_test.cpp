// SPDX-License-Identifier: Apache-2.0
#include "nas/latency/target_name.h"

#include "nas/core/error.h"
#include "nas/core/files.h"
#include "support/catch_compat.h"

using nas::ResolveTargetName;
using nas::TargetPlace;

namespace {

/// A cache and a folder of shipped tables with empty files.
struct Places {
  nas::TempDir dir;
  std::string cache = (dir.path() / "cache").string();
  std::vector<std::string> shipped{(dir.path() / "shipped").string()};
  Places() {
    nas::MakeDirectory(dir.path() / "cache" / "latency");
    nas::MakeDirectory(dir.path() / "shipped");
    for (const char* name : {"note10-tflite-cpu", "titan-rtx-pytorch-b64"}) {
      nas::WriteFileAtomic(dir.path() / "shipped" / (std::string(name) + ".json"), "{}");
    }
    nas::WriteFileAtomic(dir.path() / "cache" / "latency" / "board.json", "{}");
  }
};

}  // namespace

TEST_CASE("names resolve in the order path, cached, shipped, alias") {
  Places places;
  const std::string file = (places.dir.path() / "own.json").string();
  nas::WriteFileAtomic(file, "{}");
  REQUIRE(ResolveTargetName(file, places.cache, places.shipped).path == file);
  REQUIRE(ResolveTargetName("board", places.cache, places.shipped).path == places.cache + "/latency/board.json");
  REQUIRE(ResolveTargetName("note10-tflite-cpu", places.cache, places.shipped).path ==
          places.shipped[0] + "/note10-tflite-cpu.json");
  REQUIRE(ResolveTargetName("mobile", places.cache, places.shipped).path ==
          places.shipped[0] + "/note10-tflite-cpu.json");
  REQUIRE(ResolveTargetName("cpu", places.cache, places.shipped).kind == TargetPlace::Kind::kOwnCpu);
  const TargetPlace gpu = ResolveTargetName("gpu", places.cache, places.shipped);
  REQUIRE(gpu.kind == TargetPlace::Kind::kOwnGpu);
  REQUIRE(gpu.path == places.shipped[0] + "/titan-rtx-pytorch-b64.json");

  // A cached table of the name of a shipped one wins.
  nas::WriteFileAtomic(places.dir.path() / "cache" / "latency" / "note10-tflite-cpu.json", "{}");
  REQUIRE(ResolveTargetName("note10-tflite-cpu", places.cache, places.shipped).path ==
          places.cache + "/latency/note10-tflite-cpu.json");
}

TEST_CASE("an unknown target names the nearest known one; a missing file says so") {
  Places places;
  try {
    ResolveTargetName("mobil", places.cache, places.shipped);
    FAIL("resolved");
  } catch (const nas::Error& error) {
    REQUIRE(error.kind() == nas::ErrorKind::kInput);
    REQUIRE(std::string(error.what()).find("\"mobile\"") != std::string::npos);
  }
  REQUIRE_THROWS_AS(ResolveTargetName("no/such.json", places.cache, places.shipped), nas::Error);
  REQUIRE_THROWS_AS(ResolveTargetName("pixel1", places.cache, places.shipped), nas::Error);  // its table is not there
}
