// SPDX-License-Identifier: Apache-2.0
// The only file that sees spdlog: its fmt is not the one that comes with LibTorch's headers.
#include "nas/core/log.h"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/dist_sink.h>

#include <memory>
#include <mutex>

#include "nas/core/error.h"
#include "nas/core/text.h"
#include "screen.h"

namespace nas {

namespace {

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
    case LogLevel::kOff:
      return spdlog::level::off;
  }
  return spdlog::level::info;
}

/// Messages as people read them: no time, the level only where it matters.
class ConsoleSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit ConsoleSink(bool color) : color_(color) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    std::string line = Prefix(message.level);
    line.append(message.payload.data(), message.payload.size());
    line += '\n';
    detail::Screen::Get().Print(line);
  }
  void flush_() override {}

 private:
  std::string Prefix(spdlog::level::level_enum level) const {
    const char* const end = color_ ? "\x1b[0m " : " ";
    if (level >= spdlog::level::err) return StrCat(color_ ? "\x1b[1;31m" : "", "error:", end);
    if (level == spdlog::level::warn) return StrCat(color_ ? "\x1b[1;33m" : "", "warning:", end);
    if (level <= spdlog::level::debug) return StrCat(color_ ? "\x1b[2m" : "", "debug:", end);
    return "";
  }

  bool color_;
};

/// The sinks of the process. Its standard error and log file are one each, hence a single object.
class Log {
 public:
  static Log& Get() {
    static Log log;
    return log;
  }

  void Configure(const LogOptions& options) {
    auto console = std::make_shared<ConsoleSink>(options.color);
    console->set_level(ToSpdlog(options.console));
    sinks_->set_sinks({console});
    if (!options.file.empty()) AddFile(options.file);
  }

  void AddFile(const std::string& path) {
    try {
      auto file = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path);
      file->set_formatter(
          std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc));
      file->set_level(spdlog::level::debug);
      sinks_->add_sink(file);
    } catch (const spdlog::spdlog_ex& error) {
      // "Failed opening file … for writing: reason"
      const std::string what = error.what();
      const std::size_t colon = what.rfind(": ");
      ThrowInput(StrCat("cannot write ", path, ": ", colon == std::string::npos ? what : what.substr(colon + 2),
                        "; choose another file for the log"));
    }
  }

  // A string view, not a format: braces in messages are text.
  void Write(spdlog::level::level_enum level, const std::string& message) {
    logger_.log(level, spdlog::string_view_t(message.data(), message.size()));
  }

 private:
  Log() : sinks_(std::make_shared<spdlog::sinks::dist_sink_mt>()), logger_("nas", sinks_) {
    logger_.set_level(spdlog::level::debug);
    logger_.flush_on(spdlog::level::debug);  // what was said before a crash is what is looked for afterwards
    logger_.set_error_handler([](const std::string& what) {
      static std::once_flag once;
      std::call_once(once,
                     [&] { detail::Screen::Get().Print(StrCat("warning: the log is incomplete: ", what, '\n')); });
    });
    Configure(LogOptions{});
  }

  std::shared_ptr<spdlog::sinks::dist_sink_mt> sinks_;
  spdlog::logger logger_;
};

}  // namespace

void ConfigureLog(const LogOptions& options) { Log::Get().Configure(options); }
void AddLogFile(const std::string& path) { Log::Get().AddFile(path); }

void LogDebug(const std::string& message) { Log::Get().Write(spdlog::level::debug, message); }
void LogInfo(const std::string& message) { Log::Get().Write(spdlog::level::info, message); }
void LogWarning(const std::string& message) { Log::Get().Write(spdlog::level::warn, message); }
void LogError(const std::string& message) { Log::Get().Write(spdlog::level::err, message); }

}  // namespace nas
