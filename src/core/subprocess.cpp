// SPDX-License-Identifier: Apache-2.0
#include "nas/core/subprocess.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <system_error>

#include "child_process.h"
#include "nas/core/clock.h"
#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas {

namespace {

using detail::Child;
using detail::FileDescriptor;
using detail::MakePipe;
using detail::Pipe;
using detail::Reason;
using detail::SetNonBlocking;
using detail::SigpipeBlock;
using detail::SpawnSetup;
constexpr double kNever = std::numeric_limits<double>::infinity();

/// A process that has let go of its pipes may be followed by helpers that hold them (an ssh master): read on this long.
constexpr double kDrainSeconds = 0.25;

/// Calls back for every complete line of a growing text.
class LineReporter {
 public:
  explicit LineReporter(const std::function<void(std::string_view)>& on_line) : on_line_(on_line) {}
  void Report(const std::string& text) {
    if (!on_line_) return;
    for (std::size_t end = text.find('\n', reported_); end != std::string::npos; end = text.find('\n', reported_)) {
      const std::string line = text.substr(reported_, end - reported_);
      reported_ = end + 1;
      on_line_(line);
    }
  }
  /// The rest, which no newline ends.
  void Finish(const std::string& text) {
    if (on_line_ && reported_ < text.size()) on_line_(std::string_view(text).substr(reported_));
  }

 private:
  const std::function<void(std::string_view)>& on_line_;
  std::size_t reported_ = 0;
};

// Reads what is there; closes at the end of the stream.
void ReadAvailable(FileDescriptor* stream, std::string* text) {
  std::array<char, 65536> buffer;
  for (;;) {
    const ssize_t count = ::read(stream->get(), buffer.data(), buffer.size());
    if (count > 0) {
      text->append(buffer.data(), static_cast<std::size_t>(count));
      if (static_cast<std::size_t>(count) < buffer.size()) return;
    } else if (count < 0 && errno == EINTR) {
      continue;
    } else {
      if (count == 0 || errno != EAGAIN) stream->Close();
      return;
    }
  }
}

void WriteAvailable(FileDescriptor* stream, std::string_view* rest) {
  const ssize_t count = ::write(stream->get(), rest->data(), rest->size());
  if (count > 0) rest->remove_prefix(static_cast<std::size_t>(count));
  const bool broken = count < 0 && errno != EAGAIN && errno != EINTR;  // EPIPE: the program does not want the rest
  if (broken || rest->empty()) stream->Close();
}

}  // namespace

SubprocessResult RunSubprocess(const SubprocessOptions& options) {
  if (options.argv.empty()) ThrowInternal("a subprocess needs a program to run");
  Pipe out = MakePipe();
  Pipe err = MakePipe();
  Pipe in;
  SpawnSetup setup;
  if (options.input.empty()) {
    setup.ReadNothing();
  } else {
    in = MakePipe();
    setup.Connect(in.read.get(), STDIN_FILENO);
  }
  setup.Connect(out.write.get(), STDOUT_FILENO);
  setup.Connect(err.write.get(), STDERR_FILENO);

  const SigpipeBlock no_sigpipe;
  SubprocessResult result;
  const Stopwatch watch;
  const double deadline_s = options.deadline_s > 0 ? options.deadline_s : kNever;
  pid_t pid = 0;
  if (const int error = setup.Spawn(options.argv, &pid)) {
    if (error == EAGAIN || error == ENOMEM || error == EMFILE || error == ENFILE) {
      ThrowInternal(StrCat("cannot start ", options.argv[0], ": ", Reason(error)));
    }
    result.exit_code = error == EACCES || error == ENOEXEC ? 126 : 127;
    result.err = StrCat(options.argv[0], ": ", Reason(error), '\n');
    return result;
  }
  Child child(pid);
  out.write.Close();
  err.write.Close();
  in.read.Close();
  for (const FileDescriptor* stream : {&out.read, &err.read, &in.write}) {
    if (*stream) SetNonBlocking(stream->get());
  }

  LineReporter lines(options.on_line);
  std::string_view input = options.input;
  double drain_until_s = kNever;
  double pause_s = 0.0005;  // between looks at a program that has closed its streams but goes on
  for (;;) {
    const bool streams_open = out.read || err.read;
    const bool ended = child.HasEnded();
    if (ended && !streams_open) break;
    const double now_s = watch.Seconds();
    if (ended) drain_until_s = std::min(drain_until_s, now_s + kDrainSeconds);
    if (now_s >= drain_until_s) break;
    if (!ended && now_s >= deadline_s) {
      result.timed_out = true;
      child.KillGroup();
      break;
    }
    double wait_s = 0.05;
    if (!streams_open) {
      wait_s = pause_s;
      pause_s = std::min(2 * pause_s, 0.02);
    }
    wait_s = std::clamp(deadline_s - now_s, 0.0, wait_s);
    std::array<pollfd, 3> polled = {pollfd{out.read.get(), POLLIN, 0}, pollfd{err.read.get(), POLLIN, 0},
                                    pollfd{in.write.get(), POLLOUT, 0}};
    const int ready = ::poll(polled.data(), polled.size(), static_cast<int>(std::ceil(wait_s * 1e3)));
    if (ready < 0 && errno != EINTR) ThrowInternal(StrCat("poll failed: ", Reason(errno)));
    if (ready <= 0) continue;
    if (polled[0].revents != 0) {
      ReadAvailable(&out.read, &result.out);
      lines.Report(result.out);
    }
    if (polled[1].revents != 0) ReadAvailable(&err.read, &result.err);
    if (polled[2].revents != 0) WriteAvailable(&in.write, &input);
  }
  result.exit_code = child.Reap();
  // What a killed group had already written still lies in the pipes.
  if (out.read) ReadAvailable(&out.read, &result.out);
  if (err.read) ReadAvailable(&err.read, &result.err);
  lines.Report(result.out);
  if (!result.timed_out) lines.Finish(result.out);
  return result;
}

std::string ShellQuote(std::string_view word) {
  if (word.find('\0') != std::string_view::npos) {
    ThrowInput("a word for a remote shell contains a NUL byte; remove it");
  }
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+:,./-";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string_view::npos) return std::string(word);
  std::string quoted = "'";
  for (const char c : word) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + '\'';
}

std::string FindProgram(const std::string& name) {
  const auto executable = [](const std::string& path) {
    std::error_code ignored;
    return std::filesystem::is_regular_file(path, ignored) && ::access(path.c_str(), X_OK) == 0;
  };
  if (name.empty()) return "";
  if (name.find('/') != std::string::npos) return executable(name) ? name : "";
  const char* path = std::getenv("PATH");
  for (const std::string& folder : Split(path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin", ':')) {
    const std::string candidate = StrCat(folder.empty() ? "." : folder, '/', name);
    if (executable(candidate)) return candidate;
  }
  return "";
}

}  // namespace nas
