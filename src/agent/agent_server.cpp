// SPDX-License-Identifier: Apache-2.0
#include "agent_server.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <nlohmann/json.hpp>
#include <utility>

#include "nas/core/clock.h"
#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/version.h"
#include "nas/device/measuring_run.h"

namespace nas::agent {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 20;
constexpr double kSignOfLifeSeconds = 5;

}  // namespace

// Lines from a file descriptor.
class AgentServer::Input {
 public:
  explicit Input(int fd) : fd_(fd) {}

  // False at the end of the stream. Throws kInput for a line of over 1 MiB.
  bool Next(std::string* line) {
    for (;;) {
      const std::size_t end = text_.find('\n');
      if (std::min(end, text_.size()) > kMostBytes) {
        text_.clear();
        ThrowInput("a line of over 1 MiB");
      }
      if (end != std::string::npos) {
        *line = text_.substr(0, end);
        text_.erase(0, end + 1);
        return true;
      }
      if (!Fill()) return false;
    }
  }

  // Whether the next line, or the end, is there without waiting.
  bool Ready() const {
    if (text_.find('\n') != std::string::npos) return true;
    pollfd polled{fd_, POLLIN, 0};
    return ::poll(&polled, 1, 0) > 0;
  }

 private:
  bool Fill() {
    char buffer[65536];
    ssize_t count = 0;
    do {
      count = ::read(fd_, buffer, sizeof buffer);
    } while (count < 0 && errno == EINTR);
    if (count > 0) text_.append(buffer, static_cast<std::size_t>(count));
    return count > 0;
  }

  int fd_;
  std::string text_;
};

AgentServer::AgentServer(ServerPlaces places, OpenEngine open_engine)
    : places_(std::move(places)), open_engine_(std::move(open_engine)), input_(std::make_unique<Input>(places_.in)) {}

AgentServer::~AgentServer() = default;

void AgentServer::Send(const AgentLine& line) {
  const std::string text = ToText(line) + "\n";
  for (std::size_t sent = 0; sent < text.size();) {
    const ssize_t count = ::write(places_.out, text.data() + sent, text.size() - sent);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      ended_ = true;  // the host is gone
      return;
    }
    sent += static_cast<std::size_t>(count);
  }
}

void AgentServer::SendError(const std::string& id, const std::string& code, const std::string& message) {
  AgentLine line;
  line.type = AgentLine::Type::kError;
  line.id = id;
  line.code = code;
  line.message = message;
  Send(line);
}

bool AgentServer::NextLine(HostLine* line) {
  std::string text;
  while (!ended_) {
    try {
      if (!input_->Next(&text)) return false;
      *line = ParseHostLine(text);
      return true;
    } catch (const Error& error) {
      SendError("", "malformed", error.what());
    }
  }
  return false;
}

bool AgentServer::Serve() {
  if (!Hello()) return false;
  HostLine line;
  while (!ended_ && NextLine(&line)) {
    if (line.type == HostLine::Type::kClose) break;
    try {
      Answer(line);
    } catch (const Error& error) {
      SendError(line.item.id, error.kind() == ErrorKind::kInput ? "unsupported" : "internal", error.what());
    } catch (const std::bad_alloc&) {
      SendError(line.item.id, "memory", "not enough memory on the device");
    }
  }
  AgentLine bye;
  bye.type = AgentLine::Type::kBye;
  Send(bye);
  return true;
}

bool AgentServer::Hello() {
  HostLine line;
  std::string text;
  try {
    if (!input_->Next(&text)) return false;
    line = ParseHostLine(text);
    if (line.type != HostLine::Type::kOpen) ThrowInput("the first line has to be an open");
    engine_ = open_engine_(line.open);
  } catch (const Error& error) {
    SendError("", error.kind() == ErrorKind::kInput ? "malformed" : "unsupported", error.what());
    return false;
  }
  AgentLine hello;
  hello.type = AgentLine::Type::kHello;
  hello.schema = kAgentSchema;
  hello.version = kVersion;
  hello.hash = places_.hash;
  hello.identity = engine_->Identity().dump();
  hello.recorded = engine_->Recorded().dump();
  hello.cache_bytes = engine_->CacheBytes();
  hello.temperature = engine_->Temperature();
  hello.megahertz = engine_->Megahertz();
  Send(hello);
  return true;
}

void AgentServer::Answer(const HostLine& line) {
  AgentLine answer;
  const auto item = [&]() -> PreparedItem& {
    const auto found = prepared_.find(line.handle);
    if (found == prepared_.end()) ThrowInput("no item is prepared under this handle");
    return *found->second;
  };
  switch (line.type) {
    case HostLine::Type::kMeasure:
      return Measure(line);
    case HostLine::Type::kPrepare:
      prepared_[line.handle] = engine_->Prepare(line.item, line.layout);
      answer.type = AgentLine::Type::kPrepared;
      return Send(answer);
    case HostLine::Type::kRun:
      answer.type = AgentLine::Type::kRan;
      answer.ms = item().Run(line.calls);
      return Send(answer);
    case HostLine::Type::kDrop:
      prepared_.erase(line.handle);
      return;
    case HostLine::Type::kOpen:
    case HostLine::Type::kItem:
    case HostLine::Type::kClose:
      return SendError("", "malformed", "a line that does not belong here");
  }
}

bool AgentServer::HostAsksToStop() {
  if (ended_) return true;
  if (!input_->Ready()) return false;
  HostLine line;
  if (!NextLine(&line) || line.type == HostLine::Type::kClose) {
    ended_ = true;
    return true;
  }
  SendError("", "malformed", "only close is understood while items are measured");
  return false;
}

void AgentServer::Measure(HostLine line) {
  for (HostLine next; static_cast<int>(line.measure.items.size()) < line.items;) {
    if (!NextLine(&next)) return;
    if (next.type != HostLine::Type::kItem) ThrowInput("measure was followed by something else than its items");
    line.measure.items.push_back(std::move(next.item));
  }
  Stopwatch since_line;
  AgentLine progress;
  progress.type = AgentLine::Type::kProgress;
  bool host_left = false;
  const auto send = [&](const AgentLine& out) {
    Send(out);
    since_line.Restart();
  };
  MeasuringHooks hooks;
  hooks.on_progress = [&](int done, int total, const std::string& id, double seconds_left) {
    progress.done = done;
    progress.total = total;
    progress.id = id;
    progress.seconds_left = seconds_left;
    send(progress);
  };
  hooks.on_result = [&](const ItemResult& result) {
    AgentLine out;
    out.type = AgentLine::Type::kResult;
    out.result = result;
    if (!places_.journal.empty()) AppendLine(places_.journal, ToText(out));
    send(out);
  };
  hooks.stop = [&] {
    if (since_line.Seconds() > kSignOfLifeSeconds) send(progress);
    host_left = host_left || HostAsksToStop();
    return host_left;
  };
  AgentLine report;
  report.type = AgentLine::Type::kReport;
  report.report = MeasuringRun(*engine_, line.measure.protocol, line.measure.reference)
                      .Measure(line.measure.items, line.measure.done, hooks);
  Send(report);
}

}  // namespace nas::agent
