// SPDX-License-Identifier: Apache-2.0
#include "nas/core/clock.h"

#include <array>
#include <ctime>

namespace nas {

namespace {

std::string FormatUtcNow(const char* format) {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 64> buffer{};
  const std::size_t length = std::strftime(buffer.data(), buffer.size(), format, &parts);
  return std::string(buffer.data(), length);
}

}  // namespace

std::string NowIso8601() { return FormatUtcNow("%Y-%m-%dT%H:%M:%SZ"); }
std::string TodayCompact() { return FormatUtcNow("%Y%m%d"); }

}  // namespace nas
