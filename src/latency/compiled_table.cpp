// SPDX-License-Identifier: Apache-2.0
#include "nas/latency/compiled_table.h"

#include <limits>

#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas {
namespace {

constexpr size_t kBytes = 256;

template <typename T>
std::vector<float> Flatten(const std::vector<std::vector<T>>& rows) {
  std::vector<float> flat(rows.size() * kBytes, std::numeric_limits<float>::quiet_NaN());
  for (size_t e = 0; e < rows.size(); ++e) {
    for (size_t o = 0; o < rows[e].size(); ++o) flat[e * kBytes + o] = static_cast<float>(rows[e][o]);
  }
  return flat;
}

}  // namespace

CompiledTable::CompiledTable(const CostTable& table)
    : edges_(static_cast<int>(table.cost.size())), form_(table), cost_(Flatten(table.cost)) {
  for (const auto& edge : table.cost) {
    if (edge.size() > kBytes) ThrowInternal("an edge with more than 256 candidates does not fit a byte per edge");
  }
  if (table.launch_bound) launches_ = Flatten(table.launches);
  form_.cost.clear();
  form_.launches.clear();
  form_.extrapolated.clear();
}

double CompiledTable::Total(const std::uint8_t* code) const {
  const float* row = cost_.data();
  // Two sums: their additions overlap in the pipeline.
  double even = form_.fixed, odd = 0;
  int e = 0;
  for (; e + 1 < edges_; e += 2, row += 2 * kBytes) {
    even += static_cast<double>(row[code[e]]);
    odd += static_cast<double>(row[kBytes + code[e + 1]]);
  }
  if (e < edges_) even += static_cast<double>(row[code[e]]);
  double launch_count = form_.fixed_launches;
  if (form_.launch_bound) {
    for (int i = 0; i < edges_; ++i) launch_count += static_cast<double>(launches_[i * kBytes + code[i]]);
  }
  return form_.Total(even + odd, launch_count);
}

double CompiledTable::Predict(std::span<const std::uint8_t> code) const {
  double total = 0;
  Predict(code, std::span<double>(&total, 1));
  return total;
}

void CompiledTable::Predict(std::span<const std::uint8_t> codes, std::span<double> totals) const {
  if (codes.size() != totals.size() * static_cast<size_t>(edges_)) {
    ThrowInternal(StrCat(codes.size(), " bytes for ", totals.size(), " networks of ", edges_, " edges"));
  }
  for (size_t i = 0; i < totals.size(); ++i) totals[i] = Total(codes.data() + i * static_cast<size_t>(edges_));
}

}  // namespace nas
