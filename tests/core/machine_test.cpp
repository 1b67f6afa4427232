// SPDX-License-Identifier: Apache-2.0
#include "nas/core/machine.h"

#include <stdlib.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "core/capture.h"
#include "nas/core/text.h"
#include "support/catch_compat.h"

namespace nas {
namespace {

TEST_CASE("this machine has processors, memory and a system") {
  const MachineInfo machine = ProbeMachine();
  CHECK(machine.cores >= 1);
  CHECK(machine.cores <= ::sysconf(_SC_NPROCESSORS_CONF));
  CHECK(machine.memory_bytes > std::int64_t{1} << 26);
  CHECK(StartsWith(machine.os, "linux "));
  CHECK(Split(machine.os, ' ').size() == 3);
  CHECK_FALSE(machine.kernel.empty());
  CHECK(machine.load_average >= 0);
  CHECK(CpuMegahertz(0) >= 0);
  CHECK(CpuMegahertz(100000) == 0);
  CHECK(CpuTemperature() < 150);
}

TEST_CASE("resident memory follows what is touched") {
  constexpr std::size_t kSize = std::size_t{64} << 20;
  const std::int64_t before = ResidentBytes();
  REQUIRE(before > 0);
  {
    std::vector<char> buffer(kSize, 1);
    CHECK(ResidentBytes() - before > static_cast<std::int64_t>(kSize / 2));
    CHECK(PeakResidentBytes() >= ResidentBytes() - (1 << 20));
  }
  const std::int64_t peak = PeakResidentBytes();
  CHECK(peak >= before);
  if (!ResetPeakResident()) {
    WARN("skipped: this kernel does not reset the peak of resident memory");
    return;
  }
  CHECK(PeakResidentBytes() < peak);
}

TEST_CASE("kept buffers stay resident after they are freed") {
  // In a child: the setting lasts as long as the process.
  const testing::Captured child = testing::CaptureStderr([] {
    KeepLargeBuffers();
    { std::vector<char> buffer(std::size_t{64} << 20, 1); }
    const std::int64_t after = ResidentBytes();
    if (after < std::int64_t{64} << 20) throw 1;
  });
#ifdef __GLIBC__
  CHECK(child.exit_code == 0);
#endif
}

TEST_CASE("the cache folder follows the XDG variables") {
  const testing::Captured child = testing::CaptureStderr([] {
    ::setenv("XDG_CACHE_HOME", "/c", 1);
    ::setenv("HOME", "/h", 1);
    if (DefaultCacheDir() != "/c/nas") throw 1;
    ::setenv("XDG_CACHE_HOME", "relative", 1);
    if (DefaultCacheDir() != "/h/.cache/nas") throw 1;
    ::unsetenv("XDG_CACHE_HOME");
    if (DefaultCacheDir() != "/h/.cache/nas") throw 1;
    ::unsetenv("HOME");
    if (DefaultCacheDir().find("nas-cache-") == std::string::npos) throw 1;
  });
  CHECK(child.exit_code == 0);
}

}  // namespace
}  // namespace nas
