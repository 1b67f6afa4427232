// SPDX-License-Identifier: Apache-2.0
#include "device_facts.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/subprocess.h"
#include "nas/core/text.h"

namespace nas::agent {
namespace {

std::string FileText(const std::string& path) {
  std::ifstream file(path);
  std::string text;
  std::getline(file, text);
  text.erase(std::find(text.begin(), text.end(), '\0'), text.end());  // device trees end texts in NUL
  return Trim(text);
}

// A property of an Android device; "" elsewhere.
std::string AndroidProperty(const std::string& name) {
  if (!std::filesystem::exists("/system/bin/getprop")) return "";
  SubprocessOptions getprop;
  getprop.argv = {"/system/bin/getprop", name};
  getprop.deadline_s = 5;
  return Trim(RunSubprocess(getprop).out);
}

std::string FirstOf(const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    if (!text.empty()) return text;
  }
  return "unknown";
}

std::string PowerSource() {
  for (const char* supply : {"AC", "ac", "usb", "USB"}) {
    if (FileText(StrCat("/sys/class/power_supply/", supply, "/online")) == "1") return "mains";
  }
  std::error_code ignored;
  return std::filesystem::exists("/sys/class/power_supply/battery", ignored) ? "battery" : "unknown";
}

std::string CoresOf(CoreMask mask, const std::string& cpu) {
  const std::vector<int> cores = CoreIndices(mask);
  const std::string most =
      FileText(StrCat("/sys/devices/system/cpu/cpu", cores.front(), "/cpufreq/cpuinfo_max_freq"));  // kHz
  long long khz = 0;
  const std::string clock = ParseInt(most, &khz) ? StrCat(" @ ", khz / 1000, " MHz") : "";
  return StrCat(cores.size(), " x ", cpu, clock);
}

bool IsX86(const MachineInfo& machine) {
  return std::any_of(machine.features.begin(), machine.features.end(),
                     [](const std::string& feature) { return feature == "sse4.2" || StartsWith(feature, "avx"); });
}

// qemu-user hands the kernel's own /proc/cpuinfo through.
#if defined(__x86_64__)
constexpr bool kBuiltForX86 = true;
#else
constexpr bool kBuiltForX86 = false;
#endif

}  // namespace

DeviceFacts ProbeDevice(CoreMask mask) {
  DeviceFacts facts;
  facts.machine = ProbeMachine();
  const std::string cpu = FirstOf({facts.machine.cpu_model});
  facts.model = FirstOf({AndroidProperty("ro.product.model"), FileText("/proc/device-tree/model"), cpu});
  facts.soc = AndroidProperty("ro.soc.model");
  if (facts.soc.empty()) facts.soc = AndroidProperty("ro.board.platform");
  if (facts.soc.empty()) facts.soc = FileText("/sys/devices/soc0/machine");
  if (facts.soc.empty()) facts.soc = "none";
  facts.cores = CoresOf(mask, cpu);
  facts.power = PowerSource();
  facts.emulated = IsX86(facts.machine) && !kBuiltForX86;
  return facts;
}

}  // namespace nas::agent
