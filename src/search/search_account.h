// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "nas/core/json.h"
#include "nas/core/progress.h"
#include "nas/search/search_setup.h"
#include "nas/search/search_state.h"

namespace nas {

/// What a search says of itself while it trains: for metrics.jsonl, for the log, for the progress line. Reads the
/// state, changes nothing.
class SearchAccount {
 public:
  SearchAccount(const SearchSetup& setup, const SearchState& state, bool learns_alphas)
      : setup_(setup), state_(state), learns_alphas_(learns_alphas) {}

  /// The `epoch` line of an epoch that has just ended.
  Json Epoch() const;
  /// The same for people.
  std::string Sentence(const Json& epoch) const;
  ProgressState Progress() const;

 private:
  double SecondsLeft() const;

  const SearchSetup& setup_;
  const SearchState& state_;
  bool learns_alphas_;
};

}  // namespace nas
