// SPDX-License-Identifier: Apache-2.0
#include "screen.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace nas::detail {

namespace {

constexpr std::string_view kClearLine = "\r\x1b[K";

}  // namespace

Screen& Screen::Get() {
  static Screen screen;
  return screen;
}

void Screen::Print(std::string_view lines) {
  const std::lock_guard lock(mutex_);
  if (bar_.empty()) return Write(lines);
  // One write: the eye never sees the line without its bar.
  std::string text(kClearLine);
  text += lines;
  text += bar_;
  Write(text);
}

void Screen::DrawBar(std::string bar) {
  const std::lock_guard lock(mutex_);
  std::string text(kClearLine);
  text += bar;
  Write(text);
  bar_ = std::move(bar);
}

void Screen::ClearBar() {
  const std::lock_guard lock(mutex_);
  if (!bar_.empty()) Write(kClearLine);
  bar_.clear();
}

void Screen::Write(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(STDERR_FILENO, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;  // nobody reads standard error any more: work goes on without it
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

int ScreenColumns(int fallback) {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return fallback;
}

bool ScreenIsTerminal() { return ::isatty(STDERR_FILENO) == 1; }

}  // namespace nas::detail
