// SPDX-License-Identifier: Apache-2.0
// What every engine has to keep; each engine's test calls this with an item of both kinds.
#pragma once

#include <cmath>
#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/stats.h"
#include "nas/device/engine.h"
#include "support/catch_compat.h"

namespace nas::test {

inline void CheckEngineContract(Engine& engine, const MeasureItem& block, const MeasureItem& net) {
  const Json identity = engine.Identity();
  for (const char* field : {"class", "vendor", "model", "soc", "cores", "core_mask", "threads", "precision", "batch",
                            "os", "engine", "engine_version", "engine_build", "delegate"}) {
    INFO(field);
    CHECK(identity.contains(field));
  }
  CHECK(identity.dump() == engine.Identity().dump());
  const Json recorded = engine.Recorded();
  for (const char* field : {"kernel", "governor", "power", "driver", "agent_hash", "emulated"}) {
    INFO(field);
    CHECK(recorded.contains(field));
  }

  const double start = engine.Now();
  engine.Sleep(0.002);
  CHECK(engine.Now() >= start + 0.002);

  for (const MeasureItem* item : {&block, &net}) {
    for (const bool chain : {true, false}) {
      RunLayout layout;
      layout.chain = chain;
      layout.rotate_bytes = 1 << 20;
      const auto prepared = engine.Prepare(*item, layout);
      const double before = engine.Now();
      const double one = prepared->Run(1);
      const double many = prepared->Run(5);
      const double passed_ms = 1e3 * (engine.Now() - before);
      CHECK(one > 0);
      CHECK(std::isfinite(many));
      // ms per call, and not more than what passed on the clock.
      CHECK(one + 5 * many <= passed_ms * 1.001);
    }
  }

  MeasureItem unknown = block;
  unknown.keys[unknown.timed] = "teleport:1,2,3,4,0,0,0,0,0,-";
  unknown.id = "unknown";
  CHECK_THROWS_AS(engine.Prepare(unknown, RunLayout{}), Error);
}

}  // namespace nas::test
