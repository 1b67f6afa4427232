// SPDX-License-Identifier: Apache-2.0
#include "nas/dist/rendezvous_file.h"

#include "nas/core/files.h"
#include "support/catch_compat.h"

using namespace nas;

TEST_CASE("a published port holds for its own start only", "[dist]") {
  const TempDir dir;
  const std::filesystem::path run = dir.path() / "runs" / "a";
  const RendezvousFile mine(run, "nas/12/0/1");
  REQUIRE(mine.Port() == 0);
  mine.Publish(23'456);
  REQUIRE(mine.Port() == 23'456);
  REQUIRE(RendezvousFile(run, "nas/12/0/1").Port() == 23'456);
  REQUIRE(RendezvousFile(run, "nas/12/0/0").Port() == 0);
  REQUIRE(RendezvousFile(run, "nas/12/0/2").Port() == 0);
  RendezvousFile(run, "nas/12/0/2").Publish(23'457);
  REQUIRE(mine.Port() == 0);
}

TEST_CASE("what is no published port is none", "[dist]") {
  const TempDir dir;
  const RendezvousFile file(dir.path(), "k");
  const std::string text =
      GENERATE("", "{\"schema\": \"nas.rend", "[]", "{\"schema\": \"nas.rendezvous/1\", \"key\": \"k\"}",
               "{\"schema\": \"nas.rendezvous/1\", \"key\": \"k\", \"port\": 70000}",
               "{\"schema\": \"nas.rendezvous/1\", \"key\": \"k\", \"port\": -1}",
               "{\"schema\": \"nas.rendezvous/1\", \"key\": \"k\", \"port\": \"20001\"}",
               "{\"schema\": \"nas.rendezvous/1\", \"key\": 7, \"port\": 20001}",
               "{\"schema\": \"nas.rendezvous/2\", \"key\": \"k\", \"port\": 20001}");
  WriteFileAtomic(file.path(), text);
  INFO(text);
  REQUIRE(file.Port() == 0);
  WriteFileAtomic(file.path(), "{\"schema\": \"nas.rendezvous/1\", \"key\": \"k\", \"port\": 20001}");
  REQUIRE(file.Port() == 20'001);
}
