// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nas {

/// What this machine is, read from /proc and /sys; unknown fields are "" or 0.
struct MachineInfo {
  std::string cpu_model;
  std::string cpu_vendor;
  int cores = 0;                      ///< processors this process may run on
  std::vector<std::string> features;  ///< of interest here: avx2, fma, avx512f, avx512_bf16, amx_bf16, neon, …
  std::int64_t memory_bytes = 0;
  std::string os;  ///< `linux 6.1 x86_64`
  std::string kernel;
  std::string governor;     ///< frequency governor of core 0
  double load_average = 0;  ///< 1 minute
  std::string hostname;
};
MachineInfo ProbeMachine();

std::int64_t ResidentBytes();      ///< resident memory now
std::int64_t PeakResidentBytes();  ///< its high-water mark
/// Sets the high-water mark back to the present value; false where the kernel does not allow it.
bool ResetPeakResident();
/// Mean °C of the CPU's thermal zones, or a negative number.
double CpuTemperature();
/// Present MHz of a core, or 0.
double CpuMegahertz(int core);

/// glibc returns each large buffer to the kernel and faults it in again at the next step; this keeps them (measured
/// 2–3× faster training). Peak resident memory reads higher then. Call first in `main`; no-op elsewhere.
void KeepLargeBuffers();
/// Gives what is free back to the kernel after all, for when memory has run out: other libraries map their own.
void ReleaseFreeBuffers();

/// `$XDG_CACHE_HOME/nas` or `~/.cache/nas`; read once, in `cli`, and handed down.
std::string DefaultCacheDir();

}  // namespace nas
