// SPDX-License-Identifier: Apache-2.0
#include "nas/latency/hull.h"

#include <algorithm>

#include "nas/core/text.h"

namespace nas {
namespace {

constexpr double kMargin = 1.1;

void Widen(SampledHull::Range& range, double value) {
  if (!range) {
    range = {value, value};
  } else {
    (*range)[0] = std::min((*range)[0], value);
    (*range)[1] = std::max((*range)[1], value);
  }
}

template <typename T>
void AddSorted(std::vector<T>& list, const T& value) {
  const auto at = std::lower_bound(list.begin(), list.end(), value);
  if (at == list.end() || *at != value) list.insert(at, value);
}

template <typename T>
bool Contains(const std::vector<T>& list, const T& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

void JudgeRange(const char* name, const SampledHull::Range& range, double value, double margin, Extrapolation* result) {
  if (!range || (value >= (*range)[0] / margin && value <= (*range)[1] * margin)) return;
  result->reasons.push_back(StrCat(name, " ", value, " is outside ", (*range)[0], "…", (*range)[1]));
  result->sigma = std::max(result->sigma, kOutsideRangeSigma);
}

void NeverSampled(const std::string& what, Extrapolation* result) {
  result->reasons.push_back(what + " was never sampled");
  result->sigma = kNeverSampledSigma;
}

void JudgeMbconv(const SampledHull& hull, const BlockKey& key, Extrapolation* result) {
  if (!Contains(hull.k_s, {key.k, key.s})) {
    const bool k_known = std::any_of(hull.k_s.begin(), hull.k_s.end(), [&](const auto& p) { return p.first == key.k; });
    const bool s_known =
        std::any_of(hull.k_s.begin(), hull.k_s.end(), [&](const auto& p) { return p.second == key.s; });
    if (!k_known) NeverSampled(StrCat("k ", key.k), result);
    if (!s_known) NeverSampled(StrCat("s ", key.s), result);
    if (k_known && s_known) NeverSampled(StrCat("k ", key.k, " with s ", key.s), result);
  }
  const std::string act(ActClass(key.act));
  const int se = key.se ? 1 : 0;
  if (!Contains(hull.se_act, {se, act})) {
    const bool known =
        std::any_of(hull.se_act.begin(), hull.se_act.end(), [&](const auto& p) { return p.second == act; });
    NeverSampled(known ? StrCat("se ", se, " with ", act) : act, result);
  }
  JudgeRange("h", hull.h, key.h, kMargin, result);
  JudgeRange("cin", hull.cin, key.cin, kMargin, result);
  JudgeRange("cout", hull.cout, key.cout, kMargin, result);
  JudgeRange("mid", hull.mid, key.mid, kMargin, result);
}

}  // namespace

SampledHull BuildHull(const std::vector<BlockKey>& keys, const std::vector<int>& resolutions) {
  SampledHull hull;
  for (const auto& key : keys) {
    AddSorted(hull.ops, std::string(ToString(key.op)));
    // The stem sees the image itself.
    if (key.op == BlockOp::kConv) Widen(hull.resolution, key.h);
    if (key.op != BlockOp::kMbconv) continue;
    Widen(hull.h, key.h);
    Widen(hull.cin, key.cin);
    Widen(hull.cout, key.cout);
    Widen(hull.mid, key.mid);
    AddSorted(hull.k_s, {key.k, key.s});
    AddSorted(hull.se_act, {key.se ? 1 : 0, std::string(ActClass(key.act))});
  }
  for (int resolution : resolutions) Widen(hull.resolution, resolution);
  return hull;
}

Extrapolation JudgeExtrapolation(const SampledHull& hull, const BlockKey& key, int resolution) {
  Extrapolation result;
  if (!Contains(hull.ops, std::string(ToString(key.op)))) {
    NeverSampled(StrCat("op ", ToString(key.op)), &result);
  } else if (key.op == BlockOp::kMbconv) {
    JudgeMbconv(hull, key, &result);
  }
  if (resolution > 0) JudgeRange("resolution", hull.resolution, resolution, /*margin=*/1, &result);
  return result;
}

}  // namespace nas
