// SPDX-License-Identifier: Apache-2.0
#include "nas/core/machine.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "cpu_info.h"
#include "file_descriptor.h"
#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/stats.h"
#include "nas/core/text.h"

namespace nas {

namespace {

namespace fs = std::filesystem;

// Files of /proc and /sys come and go with kernels, containers and rights: absent is an answer.
std::string ReadOrEmpty(const fs::path& path) {
  try {
    return ReadFile(path);
  } catch (const Error&) {
    return "";
  }
}

std::string FirstWord(const fs::path& path) { return Split(Trim(ReadOrEmpty(path)), ' ')[0]; }

double NumberIn(const fs::path& path, double fallback) {
  double value = 0;
  return ParseDouble(FirstWord(path), &value) ? value : fallback;
}

fs::path FrequencyFolder(int core) { return StrCat("/sys/devices/system/cpu/cpu", core, "/cpufreq"); }

int UsableProcessors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof(set), &set) == 0) return CPU_COUNT(&set);
  return static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN));  // more processors than a plain cpu_set_t holds
}

// `6.1` of `6.1.0-18-amd64`.
std::string MajorMinor(const std::string& release) {
  const std::size_t dot = release.find('.');
  if (dot == std::string::npos) return release;
  return release.substr(0, release.find_first_not_of("0123456789", dot + 1));
}

bool IsCpuZone(const std::string& type) {
  for (const char* name : {"cpu", "x86_pkg_temp", "coretemp", "k10temp", "soc", "acpitz"}) {
    if (type.find(name) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

MachineInfo ProbeMachine() {
  MachineInfo machine;
  const detail::CpuInfo cpu = detail::ParseCpuInfo(ReadOrEmpty("/proc/cpuinfo"));
  machine.cpu_model = cpu.model;
  machine.cpu_vendor = cpu.vendor;
  machine.features = cpu.features;
  machine.cores = UsableProcessors();
  machine.memory_bytes = detail::ParseKilobyteField(ReadOrEmpty("/proc/meminfo"), "MemTotal");
  utsname names{};
  if (::uname(&names) == 0) {
    machine.os = StrCat(ToLower(names.sysname), ' ', MajorMinor(names.release), ' ', names.machine);
    machine.kernel = names.release;
    machine.hostname = names.nodename;
  }
  machine.governor = FirstWord(FrequencyFolder(0) / "scaling_governor");
  machine.load_average = NumberIn("/proc/loadavg", 0);
  return machine;
}

std::int64_t ResidentBytes() { return detail::ParseKilobyteField(ReadOrEmpty("/proc/self/status"), "VmRSS"); }

std::int64_t PeakResidentBytes() { return detail::ParseKilobyteField(ReadOrEmpty("/proc/self/status"), "VmHWM"); }

bool ResetPeakResident() {
  const detail::FileDescriptor file(::open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC));
  return file && ::write(file.get(), "5", 1) == 1;
}

double CpuTemperature() {
  std::vector<double> degrees;
  std::error_code error;
  for (const fs::directory_entry& zone : fs::directory_iterator("/sys/class/thermal", error)) {
    if (!StartsWith(zone.path().filename().string(), "thermal_zone")) continue;
    if (!IsCpuZone(ToLower(FirstWord(zone.path() / "type")))) continue;
    const double millidegrees = NumberIn(zone.path() / "temp", -1);
    if (millidegrees > 0) degrees.push_back(millidegrees / 1e3);
  }
  return degrees.empty() ? -1 : Mean(degrees);
}

double CpuMegahertz(int core) {
  const double kilohertz = NumberIn(FrequencyFolder(core) / "scaling_cur_freq", 0);
  if (kilohertz > 0) return kilohertz / 1e3;
  return detail::ParseMegahertz(ReadOrEmpty("/proc/cpuinfo"), core);
}

std::string DefaultCacheDir() {
  // Relative values are invalid by the XDG specification and ignored.
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && *cache == '/') return (fs::path(cache) / "nas").string();
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home == '/') return (fs::path(home) / ".cache" / "nas").string();
  std::error_code error;
  const fs::path base = fs::temp_directory_path(error);
  return ((error ? fs::path("/tmp") : base) / StrCat("nas-cache-", ::getuid())).string();
}

}  // namespace nas
