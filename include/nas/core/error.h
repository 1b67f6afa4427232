// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>

namespace nas {

/// What went wrong, as the caller of the program has to know it. Each kind is one exit code (see `ExitCode`).
enum class ErrorKind {
  kInternal,      ///< a fault of ours
  kUsage,         ///< unknown flag, bad unit, missing argument
  kInput,         ///< bad file, data set, place to write: named with value and remedy
  kInfeasible,    ///< constraint cannot be met, or was missed when measured again
  kUnavailable,   ///< device, runtime or other part absent, or too noisy for a figure
  kVerification,  ///< an exported file, a passport or a rank disagrees
  kTraining,      ///< diverged or collapsed
  kCheckpointed,  ///< stopped on request after a checkpoint; `--resume` goes on
  kInterrupted,   ///< stopped before a checkpoint
};

/// The exit code of the contract: 1, 2, 3, 4, 5, 6, 7, 75, 130 in the order of `ErrorKind`.
int ExitCode(ErrorKind kind);

/// The one exception family of the project, caught once in `main`.
/// A message says what, which value, where (file:line:column, JSON path) and what to do about it, in one sentence.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
};

[[noreturn]] void ThrowUsage(const std::string& message);
[[noreturn]] void ThrowInput(const std::string& message);
[[noreturn]] void ThrowInternal(const std::string& message);

}  // namespace nas
