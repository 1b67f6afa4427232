// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <string>
#include <string_view>

namespace nas::detail {

/// Standard error as the log and the progress bar share it: one lock, and at most one bar on the lowest line, which
/// steps aside while something is printed above it.
class Screen {
 public:
  /// The process has one standard error, hence one of these.
  static Screen& Get();

  /// Prints whole lines (with their newlines) above the bar.
  void Print(std::string_view lines);
  /// Draws the bar, replacing the one that is there.
  void DrawBar(std::string bar);
  /// Takes the bar away.
  void ClearBar();

 private:
  Screen() = default;
  void Write(std::string_view text);

  std::mutex mutex_;
  std::string bar_;
};

/// Columns of the terminal on standard error, or `fallback` when it does not tell.
int ScreenColumns(int fallback);
bool ScreenIsTerminal();

}  // namespace nas::detail
