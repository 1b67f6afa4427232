// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "nas/core/json.h"
#include "nas/latency/evaluation.h"
#include "nas/latency/latency_model.h"
#include "session.h"

namespace nas::cli {

/// What is printed about a table that was just fitted: weights, leave-one-out error, hull, calibration.
std::string FitText(const LatencyTable& table, bool color);
Json FitJson(const LatencyTable& table);

/// Identity, provenance, model, hull, certificate.
std::string ShowText(const LatencyTable& table, bool color);
Json ShowJson(const LatencyTable& table);
/// One key in full detail: row, linear part term by term, prediction, interval, flags.
std::string KeyText(const LatencyTable& table, const BlockKey& key, bool color);
Json KeyJson(const LatencyTable& table, const BlockKey& key);

/// Always together (latency.md §11): errors, rank correlations, regret, coverage, rivals, noise floor.
std::string EvalText(const SplitReport& report, const NoiseFloor& floor);
/// The same, with the items' flags and how a transfer went.
std::string EvalText(const Evaluation& evaluation, const NoiseFloor& floor);
Json EvalJson(const Evaluation& evaluation, const NoiseFloor& floor);

/// Targets that resolve, with what they are.
std::string ListText(const Session& session);
Json ListJson(const Session& session);

}  // namespace nas::cli
