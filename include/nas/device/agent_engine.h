// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "nas/core/clock.h"
#include "nas/core/line_process.h"
#include "nas/device/agent_protocol.h"
#include "nas/device/engine.h"
#include "nas/device/measuring_run.h"
#include "nas/device/transport.h"

namespace nas {

/// An engine of `nas-agent`, on this machine or far away. Whole measuring runs are done by the agent; a lost link is
/// tried again three times.
class AgentEngine final : public Engine, public SelfMeasuring {
 public:
  /// Starts the agent. Throws kUsage for an engine or option that it does not know, kUnavailable when it cannot be
  /// reached or is of another version.
  AgentEngine(std::unique_ptr<Transport> transport, const std::string& engine, const EngineOptions& options);
  ~AgentEngine() override;

  Json Identity() const override;
  Json Recorded() const override;
  std::int64_t CacheBytes() const override { return hello_.cache_bytes; }
  std::unique_ptr<PreparedItem> Prepare(const MeasureItem& item, const RunLayout& layout) override;
  double Now() const override { return clock_.Seconds(); }
  void Sleep(double seconds) override;
  double Temperature() const override { return hello_.temperature; }
  double Megahertz() const override { return hello_.megahertz; }
  SelfMeasuring* self_measuring() override { return this; }

  MeasuringReport Measure(const ProtocolOptions& options, const MeasureItem& reference,
                          const std::vector<MeasureItem>& items, const std::set<std::string>& done,
                          const MeasuringHooks& hooks) override;

 private:
  class Item;
  struct LostLink;
  void Start();
  AgentLine Read(const MeasuringHooks* hooks);
  AgentLine Expect(AgentLine::Type type);
  void CheckHello() const;
  void MeasureOnce(const AgentMeasure& measure, const MeasuringHooks& hooks, MeasuringReport* report);
  [[noreturn]] void ThrowLost(const std::string& how) const;

  std::unique_ptr<Transport> transport_;
  AgentOpen open_;
  std::unique_ptr<LineProcess> process_;
  AgentLine hello_;
  bool close_sent_ = false;
  int handles_ = 0;
  Stopwatch clock_;
};

}  // namespace nas
