// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace nas {

struct ChildOptions {
  std::vector<std::string> argv;                                 ///< program (a path) and arguments
  std::vector<std::pair<std::string, std::string>> environment;  ///< added to that of this process
  int out = -1;   ///< descriptor that becomes stdout; −1 = as this process
  int err = -1;   ///< likewise stderr
  int kept = -1;  ///< a descriptor that stays open in the child under its number
};

/// A process of this program's own kind that goes on beside it: in its own process group (a Ctrl-C reaches it only
/// through `Signal`), and told to stop by SIGTERM when this process dies.
class ChildProcess {
 public:
  /// Throws kUnavailable when the program cannot be started.
  explicit ChildProcess(const ChildOptions& options);
  /// Kills a child that still runs.
  ~ChildProcess();
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;

  int pid() const { return pid_; }
  /// Exit code (128 + n when ended by signal n) once it has ended; does not wait.
  std::optional<int> Poll();
  void Signal(int signal) const;

 private:
  int pid_ = -1;
  std::optional<int> exit_;
};

}  // namespace nas
