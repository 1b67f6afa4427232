// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "nas/report/run_record.h"
#include "page.h"

namespace nas::detail {

/// The result first: what was asked, predicted, measured, and the accuracy, of every target (or of a training).
void AddResults(const RunRecord& run, Page* page);
/// Network, reasons, trade-off, course of the search for one target.
void AddTarget(const RunRecord& run, std::size_t target, Page* page);
/// The run's curves.
void AddCourse(const RunRecord& run, Page* page);
/// Device, protocol and errors of each latency table.
void AddDevices(const RunRecord& run, Page* page);
/// Drops and alarms.
void AddEvents(const RunRecord& run, Page* page);
/// Command, seed, versions, configuration.
void AddReproduction(const RunRecord& run, Page* page);

/// `finished`, `unfinished`, `failed` as a coloured word.
std::string ProgressChip(const RunRecord& run);
/// `24.0 %`.
std::string AccuracyText(double share);
/// Wall time from result.json, or between the first and last line so far; "" = unknown.
std::string WallTime(const RunRecord& run);

}  // namespace nas::detail
