// SPDX-License-Identifier: Apache-2.0
#include "nas/device/affinity.h"

#include <sched.h>

#include <algorithm>
#include <fstream>

#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas {
namespace {

constexpr int kCores = 64;

CoreMask ReadMask() {
  cpu_set_t set;
  CPU_ZERO(&set);
  CoreMask mask = 0;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  for (int core = 0; core < kCores; ++core) {
    if (CPU_ISSET(core, &set)) mask |= CoreMask{1} << core;
  }
  return mask;
}

bool WriteMask(CoreMask mask) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int core : CoreIndices(mask)) CPU_SET(core, &set);
  return mask != 0 && sched_setaffinity(0, sizeof set, &set) == 0;
}

// Greatest frequency in kHz; 0 = the kernel does not tell.
long GreatestFrequency(int core) {
  std::ifstream file(StrCat("/sys/devices/system/cpu/cpu", core, "/cpufreq/cpuinfo_max_freq"));
  long khz = 0;
  file >> khz;
  return file ? khz : 0;
}

}  // namespace

CoreMask AllowedCores() { return ReadMask(); }

CoreMask FastestCluster() {
  const CoreMask allowed = AllowedCores();
  long fastest = 0;
  for (const int core : CoreIndices(allowed)) fastest = std::max(fastest, GreatestFrequency(core));
  if (fastest == 0) return allowed;
  CoreMask mask = 0;
  for (const int core : CoreIndices(allowed)) {
    if (GreatestFrequency(core) == fastest) mask |= CoreMask{1} << core;
  }
  return mask;
}

CoreMask ParseCoreMask(const std::string& text) {
  const std::string digits = StartsWith(text, "0x") ? text.substr(2) : text;
  const bool legal =
      !digits.empty() && digits.size() <= 16 && digits.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
  const CoreMask mask = legal ? std::stoull(digits, nullptr, 16) : 0;
  if (mask == 0) ThrowUsage(StrCat("--cores \"", text, "\" is no hexadecimal core mask; f0 means cores 4 to 7"));
  const CoreMask allowed = AllowedCores();
  if ((mask & ~allowed) != 0) {
    ThrowUsage(StrCat("--cores ", text, " names cores that this process may not use; it may use ", ToString(allowed)));
  }
  return mask;
}

std::string ToString(CoreMask mask) {
  std::ostringstream out;
  out << std::hex << mask;
  return out.str();
}

std::vector<int> CoreIndices(CoreMask mask) {
  std::vector<int> cores;
  for (int core = 0; core < kCores; ++core) {
    if ((mask >> core & 1) != 0) cores.push_back(core);
  }
  return cores;
}

AffinityScope::AffinityScope(CoreMask mask) : before_(ReadMask()), pinned_(WriteMask(mask)) {}

AffinityScope::~AffinityScope() {
  if (pinned_) WriteMask(before_);
}

}  // namespace nas
