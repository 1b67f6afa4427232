// SPDX-License-Identifier: Apache-2.0
#include "core/cpu_info.h"

#include "support/catch_compat.h"

namespace nas::detail {
namespace {

TEST_CASE("x86 processors are recognised") {
  const CpuInfo info = ParseCpuInfo(
      "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Some CPU @ 2.10GHz\n"
      "flags\t\t: fpu avx2 fma avx sse4_2 avx512f avx512_bf16 amx_bf16 rdtscp\n\n"
      "processor\t: 1\nmodel name\t: Another\nflags\t\t: f16c\n");
  CHECK(info.model == "Some CPU @ 2.10GHz");
  CHECK(info.vendor == "GenuineIntel");
  CHECK(info.features ==
        std::vector<std::string>{"sse4.2", "avx", "fma", "avx2", "avx512f", "avx512_bf16", "amx_bf16"});
}

TEST_CASE("Arm processors are recognised, 32 and 64 bit") {
  const CpuInfo info = ParseCpuInfo(
      "processor\t: 0\nFeatures\t: fp asimd aes asimdhp asimddp i8mm bf16\nCPU implementer\t: 0x41\n"
      "CPU part\t: 0xd4d\n");
  CHECK(info.vendor == "Arm");
  CHECK(info.model == "part 0xd4d");
  CHECK(info.features == std::vector<std::string>{"neon", "fp16", "dotprod", "i8mm", "bf16"});
  CHECK(ParseCpuInfo("Features : neon vfpv4\nCPU implementer : 0x99\nHardware : Board\n").vendor == "0x99");
  CHECK(ParseCpuInfo("Features : neon vfpv4\nHardware : Board\n").model == "Board");
}

TEST_CASE("each processor has its clock") {
  const char* const text = "processor\t: 0\ncpu MHz\t\t: 2100.5\n\nprocessor\t: 1\ncpu MHz\t\t: 800\n\n";
  CHECK(ParseMegahertz(text, 0) == 2100.5);
  CHECK(ParseMegahertz(text, 1) == 800);
  CHECK(ParseMegahertz(text, 2) == 0);
  CHECK(ParseMegahertz("processor : 0\n", 0) == 0);
}

TEST_CASE("what is not there stays empty") {
  const CpuInfo info = ParseCpuInfo("");
  CHECK(info.model.empty());
  CHECK(info.vendor.empty());
  CHECK(info.features.empty());
  CHECK(ParseKilobyteField("VmRSS:\t  1024 kB\nVmHWM: x kB\n", "VmRSS") == 1024 * 1024);
  CHECK(ParseKilobyteField("VmRSS:\t  1024 kB\nVmHWM: x kB\n", "VmHWM") == 0);
  CHECK(ParseKilobyteField("", "VmHWM") == 0);
}

}  // namespace
}  // namespace nas::detail
