// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace nas {

struct SubprocessOptions {
  std::vector<std::string> argv;                  ///< program (searched on PATH) and arguments; no shell
  std::string input;                              ///< written to stdin, then closed
  double deadline_s = 0;                          ///< seconds until the whole process group is killed; 0 = none
  std::function<void(std::string_view)> on_line;  ///< called for each complete line of stdout as it comes
};

struct SubprocessResult {
  int exit_code = 0;  ///< 127 when the program is missing, 128 + n when ended by signal n
  bool timed_out = false;
  std::string out;
  std::string err;
};

/// Runs a program in its own process group and waits. Throws kInternal only when the system refuses to fork.
SubprocessResult RunSubprocess(const SubprocessOptions& options);

/// Quotes one word for a POSIX shell on the far side of ssh or adb.
std::string ShellQuote(std::string_view word);

/// Full path of a program on PATH, or "".
std::string FindProgram(const std::string& name);

}  // namespace nas
