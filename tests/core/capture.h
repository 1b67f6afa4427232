// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>

namespace nas::testing {

struct Captured {
  std::string text;   ///< what came on standard error (on a terminal: newlines as \r\n)
  int exit_code = 0;  ///< 128 + n after signal n
};

namespace internal {

template <typename Action>
[[noreturn]] void ActAndExit(const Action& action) {
  int code = 99;  // an exception left the action
  try {
    action();
    code = 0;
  } catch (...) {
  }
  ::_exit(code);
}

inline Captured ReadAndWait(int fd, pid_t pid) {
  Captured captured;
  std::array<char, 4096> buffer;
  for (;;) {
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count <= 0) break;  // the far end of a terminal reports EIO at the end
    captured.text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  ::close(fd);
  int status = 0;
  ::waitpid(pid, &status, 0);
  captured.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return captured;
}

}  // namespace internal

/// Runs `action` in a child process whose standard error is a pipe.
template <typename Action>
Captured CaptureStderr(const Action& action) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) return {"no pipe", -1};
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[0]);
    ::close(ends[1]);
    internal::ActAndExit(action);
  }
  ::close(ends[1]);
  return internal::ReadAndWait(ends[0], pid);
}

/// Runs `action` in a child process on a terminal of its own.
template <typename Action>
Captured CaptureTerminal(unsigned short columns, const Action& action) {
  winsize size{};
  size.ws_row = 25;
  size.ws_col = columns;
  int terminal = -1;
  const pid_t pid = ::forkpty(&terminal, nullptr, nullptr, &size);
  if (pid == 0) internal::ActAndExit(action);
  return internal::ReadAndWait(terminal, pid);
}

}  // namespace nas::testing
