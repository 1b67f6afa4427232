// SPDX-License-Identifier: Apache-2.0
#include "nas/core/line_process.h"

#include <poll.h>

#include <algorithm>
#include <cmath>

#include "child_process.h"
#include "nas/core/clock.h"

namespace nas {

namespace {

using detail::FileDescriptor;

constexpr std::size_t kMostErrorBytes = 4096;

// Appends what is there; false at the end of the stream.
bool ReadSome(FileDescriptor& stream, std::string& text) {
  std::array<char, 65536> buffer;
  const ssize_t count = ::read(stream.get(), buffer.data(), buffer.size());
  if (count > 0) text.append(buffer.data(), static_cast<std::size_t>(count));
  return count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR));
}

}  // namespace

struct LineProcess::State {
  explicit State(pid_t pid) : child(pid) {}

  bool TakeLine(std::string* line) {
    const std::size_t end = out_text.find('\n', searched);
    searched = end == std::string::npos ? out_text.size() : 0;
    if (std::min(end, out_text.size()) > kMostBytes) ThrowInput("a line of over 1 MiB came from the program");
    if (end == std::string::npos) return false;
    *line = out_text.substr(0, end);
    if (!line->empty() && line->back() == '\r') line->pop_back();
    out_text.erase(0, end + 1);
    return true;
  }

  // Moves what can be moved in either direction within `seconds`; false when both outputs have ended.
  bool Pump(double seconds) {
    if (!out && !err) return false;
    std::array<pollfd, 3> polled = {pollfd{out.get(), POLLIN, 0}, pollfd{err.get(), POLLIN, 0},
                                    pollfd{pending.empty() ? -1 : in.get(), POLLOUT, 0}};
    const auto wait_ms = static_cast<int>(std::ceil(std::max(0.0, seconds) * 1e3));
    if (::poll(polled.data(), polled.size(), wait_ms) <= 0) return true;
    if (polled[0].revents != 0 && !ReadSome(out, out_text)) out.Close();
    if (polled[1].revents != 0) {
      if (!ReadSome(err, err_text)) err.Close();
      if (err_text.size() > kMostErrorBytes) err_text.erase(0, err_text.size() - kMostErrorBytes);
    }
    if (polled[2].revents != 0) WriteSome();
    return true;
  }

  void WriteSome() {
    const detail::SigpipeBlock no_sigpipe;
    const ssize_t count = ::write(in.get(), pending.data(), pending.size());
    if (count > 0) pending.erase(0, static_cast<std::size_t>(count));
    if (count < 0 && errno != EAGAIN && errno != EINTR) {
      in.Close();
      pending.clear();
    }
    if (pending.empty() && close_input) in.Close();
  }

  detail::Child child;
  FileDescriptor in, out, err;
  std::string pending;  // for stdin
  bool close_input = false;
  std::string out_text;
  std::size_t searched = 0;  // of out_text, for a line end
  std::string err_text;
};

LineProcess::LineProcess(const std::vector<std::string>& argv) {
  detail::Pipe in = detail::MakePipe();
  detail::Pipe out = detail::MakePipe();
  detail::Pipe err = detail::MakePipe();
  detail::SpawnSetup setup;
  setup.Connect(in.read.get(), STDIN_FILENO);
  setup.Connect(out.write.get(), STDOUT_FILENO);
  setup.Connect(err.write.get(), STDERR_FILENO);
  pid_t pid = 0;
  if (const int error = setup.Spawn(argv, &pid)) {
    throw Error(ErrorKind::kUnavailable, StrCat("cannot start ", argv[0], ": ", detail::Reason(error)));
  }
  state_ = std::make_unique<State>(pid);
  state_->in = std::move(in.write);
  state_->out = std::move(out.read);
  state_->err = std::move(err.read);
  for (const FileDescriptor* stream : {&state_->in, &state_->out, &state_->err}) detail::SetNonBlocking(stream->get());
}

LineProcess::~LineProcess() = default;

void LineProcess::Write(std::string_view line) {
  if (!state_->in) return;
  state_->pending.append(line).push_back('\n');
  state_->WriteSome();
}

void LineProcess::CloseInput() {
  state_->close_input = true;
  if (state_->pending.empty()) state_->in.Close();
}

LineProcess::Status LineProcess::Read(double seconds, std::string* line) {
  const Stopwatch watch;
  for (;;) {
    if (state_->TakeLine(line)) return Status::kLine;
    const double left = seconds - watch.Seconds();
    // After the end of stdout, what stderr says is still of interest, but only for a moment.
    if (!state_->out) {
      state_->Pump(std::min(0.05, std::max(0.0, left)));
      return Status::kEnd;
    }
    if (left <= 0) return Status::kTimeout;
    state_->Pump(left);
  }
}

void LineProcess::Kill() { state_->child.KillGroup(); }

const std::string& LineProcess::errors() const { return state_->err_text; }

}  // namespace nas
