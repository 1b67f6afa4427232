// SPDX-License-Identifier: Apache-2.0
// Real latency tables for tests, and small made-up ones.
#pragma once

#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "nas/core/files.h"
#include "nas/core/rng.h"
#include "nas/latency/evaluation.h"
#include "nas/latency/import_table.h"
#include "nas/latency/importer.h"
#include "support/catch_compat.h"

namespace nas::testing {

/// Folder of the real latency data, "" (with a warning) when NAS_TEST_DATA is not set.
inline std::string LatencyData() {
  const char* folder = std::getenv("NAS_TEST_DATA");
  if (folder == nullptr || *folder == '\0') {
    WARN("skipped: NAS_TEST_DATA does not name the folder of the real data");
    return "";
  }
  return std::string(folder) + "/latency";
}

inline ImportedData ImportFile(const std::string& path, const char* format, const ImportOptions& options = {}) {
  return FindImporter(format).Import(ReadFile(path), path.substr(path.rfind('/') + 1), options);
}

inline DeviceIdentity CpuIdentity() {
  DeviceIdentity identity;
  identity.precision = "fp32";
  return identity;
}

inline LatencyTable TableOf(const ImportedData& data, const std::string& name,
                            DeviceIdentity identity = CpuIdentity()) {
  ImportTableOptions options;
  options.name = name;
  options.identity = identity;
  return MakeTable(data, options, nullptr);
}

inline ImportedData GpuNets(const std::string& folder, const char* column, int batch) {
  ImportOptions options;
  options.width = 1.2;
  options.batch = batch;
  options.column = column;
  return ImportFile(folder + "/ofa_gpu_whole_nets.jsonl", "nets-jsonl", options);
}

inline DeviceIdentity GpuIdentity(int batch) {
  DeviceIdentity identity;
  identity.device_class = "gpu";
  identity.batch = batch;
  return identity;
}

inline Evaluation RunSplit(const EvalData& data, const std::string& split, std::uint64_t seed = 0) {
  EvalOptions options;
  options.split = split;
  options.seed = seed;
  return Evaluate(data, options);
}

/// Mean MAPE of a split over seeds 0…count−1.
inline double MeanMape(const EvalData& data, const std::string& split, int count = 10) {
  double sum = 0;
  for (int seed = 0; seed < count; ++seed) sum += RunSplit(data, split, seed).report.mape / count;
  return sum;
}

/// A made-up device: 240 blocks of a small grid with times that follow φ exactly but for a smooth factor.
inline std::vector<ImportedRow> MadeUpRows(double scale = 1) {
  std::vector<ImportedRow> rows;
  for (int h : {7, 14, 28, 56}) {
    for (int c : {16, 24, 40, 64}) {
      for (int e : {3, 6}) {
        for (int k : {3, 5, 7}) {
          for (int s : {1, 2}) {
            for (int se : {0, 1}) {
              if ((h / 7 + c / 8 + e + k + s + se) % 3 == 0) continue;
              ImportedRow row;
              const int hout = (h - 1) / s + 1;
              row.key = {BlockOp::kMbconv,
                         h,
                         c,
                         hout,
                         c,
                         c * e,
                         k,
                         s,
                         s == 1,
                         se == 1,
                         se ? BlockAct::kHSwish : BlockAct::kRelu6};
              const double dw = double(hout) * hout * c * e * k * k / 1e6;
              row.ms = 0.02 + 0.05 * BlockMacs(row.key) / 1e6 + 0.3 * dw + (k == 7 ? 0.1 * dw : 0) +
                       0.4 * hout * hout * c * e / 1e6;
              row.ms *= scale * (1 + 0.03 * std::sin(h + 0.1 * c + k));
              row.std_ms = 0.01 * row.ms;
              row.count = 50;
              row.source = "made up";
              row.where = "made up:1";
              rows.push_back(row);
            }
          }
        }
      }
    }
  }
  return rows;
}

}  // namespace nas::testing
