// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nas::detail {

/// What /proc/cpuinfo says of the first processor; x86 and Arm.
struct CpuInfo {
  std::string model;
  std::string vendor;
  std::vector<std::string> features;  ///< see `MachineInfo::features`
};
CpuInfo ParseCpuInfo(std::string_view text);

/// `cpu MHz` of the processor with this number, or 0; kernels without frequency files still tell it here.
double ParseMegahertz(std::string_view cpuinfo, int processor);

/// The number behind `name:` of /proc/meminfo or /proc/self/status, in bytes (the files write kB); 0 when absent.
std::int64_t ParseKilobyteField(std::string_view text, std::string_view name);

}  // namespace nas::detail
