// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nas/latency/evaluation.h"
#include "nas/latency/fit.h"
#include "nas/latency/latency_table.h"

namespace nas {

/// The ladder of few-shot transfer (latency.md §10), lowest first.
enum class TransferLevel { kScale, kAffine, kPrior, kRidge, kScratch };

/// `scale`, `affine`, `prior`, `ridge`, `scratch`.
std::string_view ToString(TransferLevel level);
/// Throws kUsage with the known levels.
TransferLevel ParseTransferLevel(std::string_view word);
/// Items that a level needs at least: 1, 5, 8, 10, 20.
int LeastItems(TransferLevel level);

struct TransferOptions {
  std::optional<TransferLevel> level;  ///< forced level; nullopt = by leave-one-out error
  bool force = false;                  ///< also between devices whose class, precision, batch, … differ
  FitOptions fit;
};

struct TransferResult {
  LatencyTable table;  ///< the new device's, with model and certificate record
  TransferRecord record;
  std::vector<std::string> warnings;  ///< unknown identity fields, items outside the hull
};

/// Learns a new device from few measured items (`items`: a table with rows and, for a and b, whole networks; its model
/// is not looked at) and one or several fitted tables of other devices. Throws kInput when there are no mbconv rows,
/// when a forced level needs more items, or when devices must not be compared (unless `force`).
TransferResult Transfer(const LatencyTable& items, const std::vector<LatencyTable>& sources,
                        const TransferOptions& options = {});

/// Split `device:NAME`: the device of `data` is new; `count` of its mbconv rows, drawn by seed, are transferred from
/// the sources, all others test.
Evaluation EvaluateTransfer(const EvalData& data, const std::vector<LatencyTable>& sources, int count,
                            const std::string& split, std::uint64_t seed, const TransferOptions& options = {});

/// Fields that forbid a transfer: class, precision, threads, cluster, engine, delegate, batch; "" = none differ.
/// Unknown ones go to `warnings`.
std::string TransferObstacles(const DeviceIdentity& items, const LatencyTable& source,
                              std::vector<std::string>* warnings);

}  // namespace nas
