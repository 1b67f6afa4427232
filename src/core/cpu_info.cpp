// SPDX-License-Identifier: Apache-2.0
#include "cpu_info.h"

#include <algorithm>
#include <set>
#include <utility>

#include "nas/core/text.h"

namespace nas::detail {

namespace {

struct Feature {
  const char* flag;  // as the kernel writes it
  const char* name;  // as we and compilers do
};

// In the order in which a machine's features are listed. What decides kernels and precision, not everything there is.
constexpr Feature kFeatures[] = {
    {"sse4_2", "sse4.2"},
    {"avx", "avx"},
    {"f16c", "f16c"},
    {"fma", "fma"},
    {"avx2", "avx2"},
    {"avx_vnni", "avx_vnni"},
    {"avx512f", "avx512f"},
    {"avx512bw", "avx512bw"},
    {"avx512vl", "avx512vl"},
    {"avx512_vnni", "avx512_vnni"},
    {"avx512_bf16", "avx512_bf16"},
    {"avx512_fp16", "avx512_fp16"},
    {"amx_tile", "amx_tile"},
    {"amx_int8", "amx_int8"},
    {"amx_bf16", "amx_bf16"},
    {"neon", "neon"},
    {"asimd", "neon"},
    {"asimdhp", "fp16"},
    {"asimddp", "dotprod"},
    {"i8mm", "i8mm"},
    {"bf16", "bf16"},
    {"sve", "sve"},
    {"sve2", "sve2"},
};

// The value behind the first `name :` line.
std::string Field(std::string_view text, std::string_view name) {
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    const std::string_view line = text.substr(start, end - start);
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos && Trim(line.substr(0, colon)) == name) return Trim(line.substr(colon + 1));
    start = end + 1;
  }
  return "";
}

std::string ArmVendor(const std::string& implementer) {
  static constexpr std::pair<const char*, const char*> kImplementers[] = {{"0x41", "Arm"},     {"0x51", "Qualcomm"},
                                                                          {"0x53", "Samsung"}, {"0x4e", "Nvidia"},
                                                                          {"0x61", "Apple"},   {"0xc0", "Ampere"}};
  for (const auto& [code, name] : kImplementers) {
    if (implementer == code) return name;
  }
  return implementer;
}

}  // namespace

CpuInfo ParseCpuInfo(std::string_view text) {
  CpuInfo info;
  info.model = Field(text, "model name");
  if (info.model.empty()) info.model = Field(text, "Hardware");
  if (info.model.empty() && !Field(text, "CPU part").empty()) info.model = StrCat("part ", Field(text, "CPU part"));
  info.vendor = Field(text, "vendor_id");
  if (info.vendor.empty()) info.vendor = ArmVendor(Field(text, "CPU implementer"));
  std::string flags = Field(text, "flags");
  if (flags.empty()) flags = Field(text, "Features");
  const std::vector<std::string> words = Split(flags, ' ');
  const std::set<std::string> present(words.begin(), words.end());
  for (const Feature& feature : kFeatures) {
    if (present.count(feature.flag) == 0) continue;
    if (std::find(info.features.begin(), info.features.end(), feature.name) == info.features.end()) {
      info.features.emplace_back(feature.name);
    }
  }
  return info;
}

double ParseMegahertz(std::string_view cpuinfo, int processor) {
  // One paragraph per processor, separated by blank lines.
  for (std::size_t start = 0; start < cpuinfo.size();) {
    const std::size_t end = std::min(cpuinfo.find("\n\n", start), cpuinfo.size());
    const std::string_view paragraph = cpuinfo.substr(start, end - start);
    double megahertz = 0;
    if (Field(paragraph, "processor") == std::to_string(processor)) {
      return ParseDouble(Field(paragraph, "cpu MHz"), &megahertz) ? megahertz : 0;
    }
    start = end + 2;
  }
  return 0;
}

std::int64_t ParseKilobyteField(std::string_view text, std::string_view name) {
  const std::string value = Field(text, name);
  long long kilobytes = 0;
  if (!ParseInt(Split(value, ' ')[0], &kilobytes)) return 0;
  return kilobytes * 1024;
}

}  // namespace nas::detail
