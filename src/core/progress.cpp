// SPDX-License-Identifier: Apache-2.0
#include "nas/core/progress.h"

#include <mutex>
#include <optional>

#include "nas/core/clock.h"
#include "progress_text.h"
#include "screen.h"

namespace nas {

namespace {

constexpr double kBarInterval = 0.1;   // seconds; more often only flickers
constexpr double kPlainInterval = 30;  // seconds; a log of a day stays readable
constexpr double kJsonInterval = 1;    // seconds

class NoProgress : public Progress {
 public:
  void Update(const ProgressState&) override {}
  void Finish() override {}
};

class BarProgress : public Progress {
 public:
  BarProgress(bool color, int fallback_columns)
      : color_(color), fallback_columns_(fallback_columns), limiter_(kBarInterval) {}
  ~BarProgress() override { detail::Screen::Get().ClearBar(); }

  void Update(const ProgressState& state) override {
    const std::lock_guard lock(mutex_);
    if (!limiter_.Pass(watch_.Seconds())) return;
    // Asked each time: windows are resized.
    const int columns = detail::ScreenColumns(fallback_columns_);
    detail::Screen::Get().DrawBar(detail::ProgressBarText(state, columns, color_));
  }

  void Finish() override {
    const std::lock_guard lock(mutex_);
    detail::Screen::Get().ClearBar();
    limiter_.Reset();
  }

 private:
  bool color_;
  int fallback_columns_;
  std::mutex mutex_;
  Stopwatch watch_;
  detail::RateLimiter limiter_;
};

/// One line now and then; the last state of each phase is never lost.
class LineProgress : public Progress {
 public:
  LineProgress(std::string (*format)(const ProgressState&), double interval_s)
      : format_(format), limiter_(interval_s) {}

  void Update(const ProgressState& state) override {
    const std::lock_guard lock(mutex_);
    if (state.phase != phase_) {
      PrintWaiting();
      limiter_.Reset();
      phase_ = state.phase;
    }
    waiting_ = state;
    if (limiter_.Pass(watch_.Seconds())) PrintWaiting();
  }

  void Finish() override {
    const std::lock_guard lock(mutex_);
    PrintWaiting();
  }

 private:
  void PrintWaiting() {
    if (waiting_) detail::Screen::Get().Print(format_(*waiting_) + '\n');
    waiting_.reset();
  }

  std::string (*format_)(const ProgressState&);
  std::mutex mutex_;
  Stopwatch watch_;
  detail::RateLimiter limiter_;
  std::string phase_;
  std::optional<ProgressState> waiting_;
};

}  // namespace

std::unique_ptr<Progress> MakeProgress(ProgressStyle style, bool color, int fallback_columns) {
  if (style == ProgressStyle::kAuto) {
    style = detail::ScreenIsTerminal() ? ProgressStyle::kBar : ProgressStyle::kPlain;
  }
  switch (style) {
    case ProgressStyle::kBar:
      return std::make_unique<BarProgress>(color, fallback_columns);
    case ProgressStyle::kJson:
      return std::make_unique<LineProgress>(detail::ProgressJsonText, kJsonInterval);
    case ProgressStyle::kPlain:
      return std::make_unique<LineProgress>(detail::ProgressPlainText, kPlainInterval);
    case ProgressStyle::kNone:
    case ProgressStyle::kAuto:
      break;
  }
  return std::make_unique<NoProgress>();
}

}  // namespace nas
