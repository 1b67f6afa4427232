// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/device/engine.h"
#include "support/catch_compat.h"

using namespace nas;

TEST_CASE("engines are found by name; a near miss is answered with the nearest") {
  const EngineEntry& entry = FindEngine(BuiltinEngines(), "simulated");
  EngineOptions options;
  options.threads = 2;
  CHECK(entry.make(options)->Identity().at("threads") == 2);
  try {
    FindEngine(BuiltinEngines(), "simulatd");
    FAIL("an unknown engine was found");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kUsage);
    CHECK(std::string(error.what()).find("did you mean \"simulated\"") != std::string::npos);
  }
}
