// SPDX-License-Identifier: Apache-2.0
#include "compare.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include "nas/core/text.h"

namespace nas {

Json ToJson(const VerifyResult& result) {
  Json json{{"how", result.how}, {"ok", result.ok()}};
  if (result.max_difference) json["max_difference"] = *result.max_difference;
  if (result.tolerance) json["tolerance"] = *result.tolerance;
  if (result.top1_agreement) json["top1_agreement"] = *result.top1_agreement;
  if (!result.ok()) json["fault"] = result.fault;
  return json;
}

namespace detail {

void CompareLogits(const at::Tensor& got, const at::Tensor& expected, double tolerance, VerifyResult* result,
                   double least_scale) {
  if (got.sizes() != expected.sizes()) {
    result->fault = StrCat("its output has shape ", got.sizes(), ", the network's ", expected.sizes());
    return;
  }
  const at::Tensor a = got.to(at::kDouble);
  const at::Tensor b = expected.to(at::kDouble);
  const double difference = (a - b).abs().max().item<double>();
  const double allowed = tolerance * std::max(least_scale, b.abs().max().item<double>());
  result->max_difference = difference;
  result->tolerance = allowed;
  const std::int64_t n = b.size(0);
  result->top1_agreement =
      a.reshape({n, -1}).argmax(1).eq(b.reshape({n, -1}).argmax(1)).to(at::kDouble).mean().item<double>();
  if (!std::isfinite(difference)) {
    result->fault = "its outputs are not all finite";
  } else if (difference > allowed) {
    result->fault = StrCat("its outputs differ from the network's by up to ", difference, ", more than ", allowed);
  }
}

}  // namespace detail
}  // namespace nas
