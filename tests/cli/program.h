// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace nas::test {

struct Outcome {
  int code = 0;
  std::string out;
  std::string err;
  /// stdout as one JSON object; fails the test when it is none.
  nlohmann::ordered_json json() const;
};

/// Runs the built `nas` with these arguments, in an empty cache and without a progress bar.
Outcome RunNas(const std::vector<std::string>& arguments, const std::string& input = "");
/// The same, ended by a signal after some seconds.
Outcome RunNasAndKill(const std::vector<std::string>& arguments, double seconds, int signal);

}  // namespace nas::test
