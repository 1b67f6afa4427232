// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "nas/core/run_folder.h"
#include "nas/search/search_result.h"
#include "nas/search/search_setup.h"

namespace nas {

/// The result of a run that `--resume` finds finished; nullopt when there is still work to do.
std::optional<SearchResult> FinishedResult(const SearchOptions& options);

/// Makes or opens the run folder: config.json with options, schedule, budgets and data; env.json; the log file; and the
/// latency tables as used, under targets/. Refuses to go on under another configuration, naming the keys.
RunFolder OpenRun(const SearchSetup& setup);

/// The configuration that identifies a run.
Json RunConfig(const SearchSetup& setup);

/// The same for a rank other than 0, which writes nothing.
RunFolder AbsentRun(const SearchSetup& setup);

/// result.json, the `end` line, and what the log says last.
void FinishRun(const SearchSetup& setup, RunFolder& folder, SearchResult* result);

}  // namespace nas
