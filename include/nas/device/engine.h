// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nas/core/json.h"
#include "nas/space/architecture.h"

namespace nas {

class SelfMeasuring;

/// What is timed: one block between its neighbours, or a whole network.
struct MeasureItem {
  enum class Kind { kBlock, kNet };
  std::string id;  ///< unique in a run: "block mbconv:…", "net calibrate-03"
  Kind kind = Kind::kNet;
  std::vector<std::string> keys;  ///< latency keys in order: the network's, or the chain [producer, block, consumer]
  int timed = 0;                  ///< blocks: index in `keys` of the one that is timed
  int resolution = 0;             ///< nets: input side, pixels
  std::optional<Architecture> network;  ///< nets: the exact network, for engines that can run it; else the keys decide
};

/// How items are laid out in memory and run.
struct RunLayout {
  bool chain = true;              ///< blocks run between their neighbours; false: isolated, again and again
  std::int64_t rotate_bytes = 0;  ///< chain: weights and activations come round only after this much other data
  std::uint64_t seed = 0;         ///< of weights and inputs
};

/// An item that is ready to run.
class PreparedItem {
 public:
  virtual ~PreparedItem() = default;
  /// Runs `calls` times and returns ms per call; of a block in a chain only its own intervals count.
  virtual double Run(int calls) = 0;
};

/// Runs blocks and networks on one device: the smallest thing that a runtime has to offer. Who samples how often, in
/// which order and what is done about noise is the protocol's business (`ItemMeter`, `MeasuringRun`), alike for all
/// engines.
class Engine {
 public:
  virtual ~Engine() = default;
  /// The identity object of the table file (latency.md §5), probed, never configured.
  virtual Json Identity() const = 0;
  /// The object `recorded` of the table file: state that may change between runs.
  virtual Json Recorded() const = 0;
  /// Bytes of the last-level cache, 0 = unknown.
  virtual std::int64_t CacheBytes() const = 0;
  /// Throws kInput for a block that the engine cannot run, kUnavailable when the device gave up.
  virtual std::unique_ptr<PreparedItem> Prepare(const MeasureItem& item, const RunLayout& layout) = 0;

  /// Seconds on the clock that samples are taken with.
  virtual double Now() const = 0;
  virtual void Sleep(double seconds) = 0;
  virtual double Temperature() const = 0;  ///< °C, negative = unknown
  virtual double Megahertz() const = 0;    ///< 0 = unknown

  /// A device whose agent runs the whole protocol itself (`MeasuringRun` then leaves it to that); null = asked call by
  /// call.
  virtual SelfMeasuring* self_measuring() { return nullptr; }
};

/// Where the agent program is, and how long it may be silent.
struct AgentPlaces {
  std::string program;                   ///< this machine's own `nas-agent`
  std::vector<std::string> bundle_dirs;  ///< folders with one bundle per machine: `aarch64/nas-agent`, …
  std::string ssh_config;                ///< file for `ssh -F`; "" = the user's own
  double silence_seconds = 120;          ///< a device that says nothing for so long has hung
};

/// What the engine `command` needs: a runtime of the user's own.
struct CommandPlaces {
  std::string program;  ///< takes `--model F.onnx --batch N …`, prints JSON lines (latency.md §8)
  /// Writes the ONNX file of an item into a folder and returns its path. Throws kInput for an item that has none.
  std::function<std::string(const MeasureItem& item, const std::string& folder)> make_model;
};

/// What a user may say about an engine.
struct EngineOptions {
  int threads = 1;
  int batch = 1;               ///< images per forward call
  std::string cores;           ///< hexadecimal core mask; "" = the fastest cluster
  std::string device = "cpu";  ///< "cpu" or "cuda[:i]"
  std::uint64_t seed = 0;
  std::string transport = "local";  ///< how the device is reached, see transport.h
  AgentPlaces agent;
  CommandPlaces command;
};

/// An engine by name.
struct EngineEntry {
  std::string name;
  std::function<std::unique_ptr<Engine>(const EngineOptions& options)> make;
};

/// The engines that need nothing but this library; programs add those of other libraries to the list.
const std::vector<EngineEntry>& BuiltinEngines();
/// Throws kUsage with the nearest known name.
const EngineEntry& FindEngine(const std::vector<EngineEntry>& engines, const std::string& name);

}  // namespace nas
