// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nas/latency/certificate.h"
#include "nas/latency/device_identity.h"

namespace nas {

/// State of the device that may change between runs; a change is a warning, not another device.
struct RecordedState {
  std::string kernel;
  std::string governor;
  std::string power;
  std::string driver;
  std::string agent_hash;
  bool emulated = false;  ///< times prove function only
  friend bool operator==(const RecordedState&, const RecordedState&) = default;
};

/// How rows were measured (latency.md §9). Modes are never mixed in a fit.
struct MeasureProtocol {
  std::string mode = "chain";  ///< "chain" (between neighbour layers) or "isolated"
  int min_runs = 20;
  double min_seconds = 0.5;
  double ci_half_width = 0.01;  ///< relative half width of the median's 95 % interval at which measuring stops
  int max_runs = 200;
  double max_seconds = 10;
  std::string warmup = "two windows of 5 within 2%";
  std::int64_t order_seed = 7;
  int reference_every = 20;  ///< items between two looks at the reference network
  friend bool operator==(const MeasureProtocol&, const MeasureProtocol&) = default;
};

/// One measuring run.
struct MeasureRun {
  int run = 1;
  std::string start;  ///< ISO 8601
  double seconds = 0;
  double reference_drift = 0;  ///< relative change of the reference network over the run
  std::vector<double> temp_c;  ///< before, after; empty = unknown
  std::vector<double> mhz;
  friend bool operator==(const MeasureRun&, const MeasureRun&) = default;
};

/// Statistics of one measured item, ms. Measured here: all of them; imported rows: mean, std, n as far as the source
/// has them.
struct SampleStats {
  std::int64_t n = 0;  ///< samples; 0 = unknown
  std::optional<double> min, p10, p25, median, p75, p90, p99, mean, std, mad;
  std::optional<std::array<double, 2>> ci;  ///< 95 % interval of the median
  std::optional<double> outlier_share;
  std::optional<int> warmup_runs;
  std::optional<double> first_ms;
  std::optional<double> reference_ratio;
  std::vector<std::string> flags;  ///< unstable, ci_not_reached, isolated, retimed, imported_mean
  /// What the fit uses: the median, else the mean.
  double Value() const { return median ? *median : mean.value_or(0); }
  friend bool operator==(const SampleStats&, const SampleStats&) = default;
};

/// A measured block.
struct LatencyRow {
  std::string key;  ///< block key (block_key.h)
  int run = 1;
  SampleStats stats;
  friend bool operator==(const LatencyRow&, const LatencyRow&) = default;
};

/// A measured whole network.
struct LatencyNet {
  std::string name;
  int resolution = 0;              ///< input side, pixels
  std::vector<std::string> keys;   ///< block keys in layer order, free layers left out
  std::string role = "calibrate";  ///< "calibrate" (fits a and b) or "held-out" (certificate only)
  int run = 1;
  SampleStats stats;
  friend bool operator==(const LatencyNet&, const LatencyNet&) = default;
};

/// Residual of the linear part: a Gaussian process in the shape vector z (latency.md §3.2).
struct ResidualParams {
  std::vector<double> z_mean, z_std;
  double length = 1;
  double lambda = 0.1;
  double s2 = 0;
  double clip = 0.3;
  std::vector<double> alpha;
  std::vector<std::vector<double>> centres;  ///< standardised z
  friend bool operator==(const ResidualParams&, const ResidualParams&) = default;
};

/// Linear model of one head piece (latency.md §3.4).
struct HeadParams {
  std::vector<std::string> features;  ///< "one", "macs", "weights", "el_in", "el_io" (millions)
  std::vector<double> w;              ///< ms per unit
  int rows = 0;                       ///< distinct rows it was fitted on: 0 = estimated, 1 = scaled
  friend bool operator==(const HeadParams&, const HeadParams&) = default;
};

/// What was sampled: outside it predictions are flagged (latency.md §3.9). An empty range says nothing.
struct SampledHull {
  using Range = std::optional<std::array<double, 2>>;
  Range h, cin, cout, mid, resolution;
  std::vector<std::pair<int, int>> k_s;
  std::vector<std::pair<int, std::string>> se_act;  ///< se, activation class
  std::vector<std::string> ops;
  friend bool operator==(const SampledHull&, const SampledHull&) = default;
};

struct ModelParams;

/// A model that maps another device's prediction s to t (latency.md §10): "affine" t = a·s + b, or
/// "ridge" ln t = ln s + c + w·(standardised [z, ln s, centred ln s of the other sources]).
struct TransferMap {
  std::string level;
  double a = 1, b = 0;               ///< affine
  double c = 0;                      ///< ridge
  std::vector<double> mean, std, w;  ///< ridge, one per column
  std::vector<std::string> names;    ///< of the source tables; the first gives s
  std::vector<ModelParams> sources;
};
bool operator==(const TransferMap& x, const TransferMap& y);

struct ModelParams {
  std::vector<std::string> features;  ///< names of φ; whole-network models add "mac_stem", "mac_conv_1"
  int channel_multiple = 1;
  std::vector<double> w;
  std::optional<ResidualParams> residual;
  std::optional<TransferMap> transfer;  ///< mbconv blocks come from it, w and residual say nothing then
  std::vector<std::pair<std::string, HeadParams>> head;  ///< by op, sorted
  SampledHull hull;
  double sigma_model = 0;   ///< RMS of the leave-one-out error of ln t
  double sigma_run = 0.01;  ///< relative deviation between runs
  /// Fitted on whole networks only: block costs are inferred, the constant part stands in b.
  bool inferred() const { return features.size() > 15; }
  friend bool operator==(const ModelParams&, const ModelParams&) = default;
};

/// From the sum S of block latencies to the network's T (latency.md §3.5, §3.6).
struct Calibration {
  std::string form = "none";  ///< "none" (uncalibrated), "scale", "affine", "launch_bound"
  double a = 1, b = 0;
  double c0 = 0, c1 = 0, p = 8;
  int nets = 0;
  double sigma_cal = 0.10;
  double q = 1.96;
  friend bool operator==(const Calibration&, const Calibration&) = default;
};

struct Provenance {
  std::string source;
  std::string licence;
  std::string kind = "measured";  ///< "measured", "summed", "predicted"
  std::string notes;
  friend bool operator==(const Provenance&, const Provenance&) = default;
};

/// Measured rows, fitted model, calibration, certificate and provenance of one device: the file `nas.latency/1`.
/// A plain value; `LatencyModel` predicts from it.
struct LatencyTable {
  std::string name;
  std::string created;  ///< ISO 8601
  std::string tool;     ///< `nas 0.1.0`
  DeviceIdentity identity;
  RecordedState recorded;
  std::optional<MeasureProtocol> protocol;  ///< absent for imported rows
  std::vector<MeasureRun> runs;
  std::vector<LatencyRow> rows;
  std::vector<LatencyNet> nets;
  std::optional<ModelParams> model;  ///< absent before the first fit
  std::optional<Calibration> calibration;
  std::optional<Certificate> certificate;
  Provenance provenance;

  std::string id() const { return DeviceId(identity); }
  friend bool operator==(const LatencyTable&, const LatencyTable&) = default;
};

/// Rows by key then run, nets by name then run: equal content gives equal bytes whatever the order of measuring.
void SortTable(LatencyTable& table);

/// Text of the file; `ReadTable(WriteTable(t)) == t` for a sorted table.
std::string TableToText(const LatencyTable& table);
/// Throws kInput with file:line:column and JSON path on unknown keys, wrong types, illegal keys or an id that does not
/// belong to the identity.
LatencyTable TableFromText(std::string text, const std::string& source_name);
LatencyTable LoadTable(const std::string& path);
/// Atomic. Throws kInput when the folder cannot be written.
void SaveTable(const LatencyTable& table, const std::string& path);

/// Version that is written into new tables: `nas 0.1.0`.
std::string ToolVersion();

}  // namespace nas
