// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace nas {

/// A program that is talked to line by line while it runs, in its own process group. It does not outlive this object.
class LineProcess {
 public:
  enum class Status { kLine, kTimeout, kEnd };
  /// Longer lines are refused.
  static constexpr std::size_t kMostBytes = std::size_t{1} << 20;

  /// Starts the program (searched on PATH; no shell). Throws kUnavailable when it cannot be started.
  explicit LineProcess(const std::vector<std::string>& argv);
  ~LineProcess();
  LineProcess(const LineProcess&) = delete;
  LineProcess& operator=(const LineProcess&) = delete;

  /// Queues a line for the program's stdin; never blocks. What the program does not take any more is dropped.
  void Write(std::string_view line);
  /// Ends the program's stdin once everything queued is written.
  void CloseInput();
  /// Waits up to `seconds` for the next line of stdout, without its line end. Throws kInput for a line of over 1 MiB.
  Status Read(double seconds, std::string* line);
  /// Ends the program and everything it started.
  void Kill();
  /// The last 4 KiB of stderr, as far as it was read.
  const std::string& errors() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nas
