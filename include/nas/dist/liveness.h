// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace nas {

/// Why a rank ends the run for all of them.
struct AbortRecord {
  int rank = 0;
  std::string host;
  int exit = 75;  ///< code of the contract
  std::string text;
  bool told = false;  ///< its rank has shown the text itself

  std::string ToText() const;
  static AbortRecord FromText(const std::string& text);
};

/// Small values that all ranks see. Calls may block for good when the host of the store freezes, and throw when it is
/// gone.
class KeyStore {
 public:
  virtual ~KeyStore() = default;
  virtual void Set(const std::string& key, const std::string& value) = 0;
  virtual std::optional<std::string> Get(const std::string& key) = 0;  ///< does not wait for the key
  virtual std::int64_t Add(const std::string& key, std::int64_t amount) = 0;
};

struct LivenessOptions {
  int rank = 0;
  int size = 1;
  std::string host;
  double beat_s = 5;
  double dead_after_s = 20;   ///< without a new heartbeat
  double stall_s = 600;       ///< heartbeats, but the same step
  bool parent_tells = false;  ///< whoever has started the ranks says which one died
  double leave_s = 60;        ///< after an abort that the main thread does not come back from
  std::function<void()> leave;
};

/// Watches over the ranks of a run (cluster.md §5). The beater thread stores `hb/<r>` and reads `abort`; rank 0's reads
/// all heartbeats, too, and writes `abort` for a rank that has gone silent or stands still. The monitor thread looks at
/// clocks only: a store call blocks for good when its host freezes.
class Liveness {
 public:
  Liveness(const LivenessOptions& options, std::shared_ptr<KeyStore> store);
  ~Liveness();
  Liveness(const Liveness&) = delete;
  Liveness& operator=(const Liveness&) = delete;

  void Progress(std::int64_t step, std::string_view phase);
  /// Why the run is over for this rank; nullopt while it goes on.
  std::optional<AbortRecord> aborted() const;

 private:
  struct State;
  std::shared_ptr<State> state_;  ///< shared with threads that a frozen store may hold for good
};

/// Leaves the record for all ranks; false when there is one already.
bool WriteAbort(KeyStore& store, const AbortRecord& record);

}  // namespace nas
