// SPDX-License-Identifier: Apache-2.0
#include "nas/core/progress.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/capture.h"
#include "core/progress_text.h"
#include "core/utf8.h"
#include "nas/core/json.h"
#include "nas/core/log.h"
#include "nas/core/text.h"
#include "support/catch_compat.h"

namespace nas {
namespace {

ProgressState Search(double done) {
  ProgressState state;
  state.phase = "search";
  state.done = done;
  state.total = 12;
  state.fields = {{"loss", "1.234"}, {"img/s", "512"}};
  state.seconds_left = 200;
  return state;
}

std::size_t Count(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

/// What a terminal of `columns` shows in the end, line by line: understands \r, \n and "erase to the end of the line".
std::vector<std::string> Screenful(const std::string& text) {
  std::vector<std::string> lines(1);
  std::size_t column = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.compare(i, 3, "\x1b[K") == 0) {
      lines.back().resize(column);
      i += 2;
    } else if (text[i] == '\r') {
      column = 0;
    } else if (text[i] == '\n') {
      lines.emplace_back();
      column = 0;
    } else {
      if (lines.back().size() <= column) lines.back().resize(column + 1, ' ');
      lines.back()[column++] = text[i];
    }
  }
  return lines;
}

TEST_CASE("the bar shows phase, share, counts, fields and time left") {
  CHECK(detail::ProgressBarText(Search(3), 100, false) ==
        "search [#######.......................] 25% 3/12  loss 1.234  img/s 512  3 min 20 s left");
  ProgressState unknown = Search(3.5);
  unknown.total = 0;
  unknown.seconds_left = -1;
  CHECK(detail::ProgressBarText(unknown, 100, false) == "search  3.5  loss 1.234  img/s 512");
  CHECK(detail::ProgressBarText(Search(99), 100, false).find("100%") != std::string::npos);
  const std::string colored = detail::ProgressBarText(Search(12), 100, true);
  CHECK(Count(colored, "\x1b[32m") == 1);
  CHECK(Count(colored, "\x1b[0m") == 1);
}

TEST_CASE("the bar stays within the line at every width") {
  ProgressState state = Search(7);
  state.fields.emplace_back("größe", "½");
  for (int columns = 1; columns < 150; ++columns) {
    const std::string text = detail::ProgressBarText(state, columns, false);
    CHECK(detail::Utf8Length(text) <= static_cast<std::size_t>(std::max(columns - 1, 1)));
  }
}

TEST_CASE("plain and JSON lines") {
  CHECK(detail::ProgressPlainText(Search(3)) == "search 3/12 (25%)  loss 1.234  img/s 512  3 min 20 s left");
  const Json line = Json::parse(detail::ProgressJsonText(Search(3)));
  CHECK(line.at("phase") == "search");
  CHECK(line.at("done") == 3);
  CHECK(line.at("total") == 12);
  CHECK(line.at("seconds_left") == 200);
  CHECK(line.at("fields").at("img/s") == "512");
  ProgressState unknown;
  CHECK(Json::parse(detail::ProgressJsonText(unknown)).at("total").is_null());
}

TEST_CASE("the rate limiter lets one event pass per interval") {
  detail::RateLimiter limiter(0.1);
  int passed = 0;
  for (int i = 0; i < 1000; ++i) passed += limiter.Pass(i * 0.001) ? 1 : 0;
  CHECK(passed == 10);
  CHECK(limiter.Pass(5));
  CHECK_FALSE(limiter.Pass(5.05));
  limiter.Reset();
  CHECK(limiter.Pass(5.05));
}

TEST_CASE("on a terminal one line is redrawn, and cleared in the end") {
  const testing::Captured captured = testing::CaptureTerminal(70, [] {
    const auto progress = MakeProgress(ProgressStyle::kAuto, false);
    for (int i = 0; i < 1000; ++i) progress->Update(Search(3));
    LogInfo("a message");
    progress->Finish();
  });
  CHECK(captured.exit_code == 0);
  CHECK(Count(captured.text, "search [") >= 2);   // drawn, and drawn again below the message
  CHECK(Count(captured.text, "search [") < 100);  // but not a thousand times
  const std::vector<std::string> lines = Screenful(captured.text);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0] == "a message");
  CHECK(lines[1] == "");
}

TEST_CASE("a bar that is not finished is cleared with its object; the log goes on without it") {
  const testing::Captured captured = testing::CaptureTerminal(70, [] {
    MakeProgress(ProgressStyle::kBar, true)->Update(Search(3));
    LogInfo("after");
  });
  const std::vector<std::string> lines = Screenful(captured.text);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0] == "after");
}

TEST_CASE("the bar takes its width from the terminal, else from the caller") {
  const auto longest = [](const testing::Captured& captured) {
    std::size_t width = 0;
    for (const std::string& part : Split(captured.text, '\r')) {
      if (StartsWith(part, "\x1b[K")) width = std::max(width, part.size() - 3);
    }
    return width;
  };
  const auto draw = [] { MakeProgress(ProgressStyle::kBar, false, 75)->Update(Search(3)); };
  CHECK(longest(testing::CaptureTerminal(40, draw)) == 39);
  CHECK(longest(testing::CaptureStderr(draw)) == 74);
}

TEST_CASE("off a terminal plain lines appear at the start, at each new phase and at the end") {
  const testing::Captured captured = testing::CaptureStderr([] {
    const auto progress = MakeProgress(ProgressStyle::kAuto, true);
    ProgressState state;
    state.phase = "warm-up";
    state.total = 100;
    for (int i = 0; i <= 100; ++i) {
      state.done = i;
      progress->Update(state);
    }
    progress->Update(Search(0));
    for (int i = 0; i <= 12; ++i) progress->Update(Search(i));
    progress->Finish();
    progress->Finish();
  });
  const std::vector<std::string> lines = Split(captured.text, '\n');
  REQUIRE(lines.size() == 5);
  CHECK(lines[0] == "warm-up 0/100 (0%)");
  CHECK(lines[1] == "warm-up 100/100 (100%)");
  CHECK(StartsWith(lines[2], "search 0/12"));
  CHECK(StartsWith(lines[3], "search 12/12 (100%)"));
  CHECK(lines[4] == "");
}

TEST_CASE("JSON progress is one object per line, none is nothing") {
  const testing::Captured json = testing::CaptureStderr([] {
    const auto progress = MakeProgress(ProgressStyle::kJson, false);
    for (int i = 0; i <= 12; ++i) progress->Update(Search(i));
    progress->Finish();
  });
  const std::vector<std::string> lines = Split(Trim(json.text), '\n');
  REQUIRE(lines.size() >= 2);
  for (const std::string& line : lines) CHECK(Json::parse(line).at("schema") == "nas.progress/1");
  CHECK(Json::parse(lines.back()).at("done") == 12);
  CHECK(testing::CaptureStderr([] {
          const auto progress = MakeProgress(ProgressStyle::kNone, true);
          progress->Update(Search(1));
          progress->Finish();
        }).text == "");
}

TEST_CASE("a bar and the lines of several threads leave each line whole") {
  const testing::Captured captured = testing::CaptureTerminal(70, [] {
    const auto progress = MakeProgress(ProgressStyle::kBar, false);
    std::vector<std::thread> threads;
    for (char c : {'a', 'b'}) {
      threads.emplace_back([c] {
        for (int i = 0; i < 100; ++i) LogInfo(std::string(50, c));
      });
    }
    for (int i = 0; i < 2000; ++i) progress->Update(Search(i % 12));
    for (std::thread& thread : threads) thread.join();
    progress->Finish();
  });
  const std::vector<std::string> lines = Screenful(captured.text);
  REQUIRE(lines.size() == 201);
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) REQUIRE(lines[i] == std::string(50, lines[i][0]));
  CHECK(lines.back() == "");
}

}  // namespace
}  // namespace nas
