// SPDX-License-Identifier: Apache-2.0
#include "eval_split.h"

#include <vector>

#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas {
namespace {

constexpr const char* kForms = "random:N, leave:COL=VAL, leave:COL>=VAL, nets:N, nets:held-out, run:K";

const std::vector<std::string>& Columns() {
  static const std::vector<std::string> columns = {"op",     "h_in",   "c_in", "h_out", "c_out", "mid",
                                                   "kernel", "stride", "skip", "se",    "act",   "source"};
  return columns;
}

std::string Column(const ImportedRow& row, const std::string& column) {
  const BlockKey& k = row.key;
  const std::string values[] = {
      std::string(ToString(k.op)), std::to_string(k.h),   std::to_string(k.cin),        std::to_string(k.hout),
      std::to_string(k.cout),      std::to_string(k.mid), std::to_string(k.k),          std::to_string(k.s),
      k.skip ? "1" : "0",          k.se ? "1" : "0",      std::string(ToString(k.act)), row.source};
  for (size_t i = 0; i < Columns().size(); ++i) {
    if (Columns()[i] == column) return values[i];
  }
  return "";
}

int Count(const std::string& text, const std::string& number) {
  long long value = 0;
  if (!ParseInt(number, &value) || value < 1 || value > 1000000) {
    ThrowUsage(StrCat("split \"", text, "\": \"", number, "\" is not a whole number of at least 1; known: ", kForms));
  }
  return static_cast<int>(value);
}

SplitSpec ParseLeave(const std::string& text, const std::string& condition) {
  SplitSpec split;
  split.kind = SplitSpec::Kind::kLeave;
  const size_t at = condition.find_first_of("=<>");
  if (at == std::string::npos || at == 0)
    ThrowUsage(StrCat("split \"", text, "\" names no condition; known: ", kForms));
  split.column = condition.substr(0, at);
  const bool two = condition[at] != '=' && at + 1 < condition.size() && condition[at + 1] == '=';
  split.relation = condition.substr(at, two ? 2 : 1);
  split.value = condition.substr(at + split.relation.size());
  bool known = false;
  for (const auto& column : Columns()) known = known || column == split.column;
  if (!known)
    ThrowUsage(
        StrCat("split \"", text, "\": unknown column \"", split.column, "\"", DidYouMean(split.column, Columns())));
  double number = 0;
  if (split.relation != "=" && !ParseDouble(split.value, &number)) {
    ThrowUsage(StrCat("split \"", text, "\": \"", split.value, "\" is not a number"));
  }
  return split;
}

}  // namespace

SplitSpec ParseSplit(const std::string& text) {
  SplitSpec split;
  if (StartsWith(text, "leave:")) return ParseLeave(text, text.substr(6));
  if (text == "nets:held-out") {
    split.kind = SplitSpec::Kind::kHeldOut;
  } else if (StartsWith(text, "random:")) {
    split.count = Count(text, text.substr(7));
  } else if (StartsWith(text, "nets:")) {
    split.kind = SplitSpec::Kind::kNets;
    split.count = Count(text, text.substr(5));
  } else if (StartsWith(text, "run:")) {
    split.kind = SplitSpec::Kind::kRun;
    split.count = Count(text, text.substr(4));
  } else {
    ThrowUsage(StrCat("unknown split \"", text, "\"; known: ", kForms));
  }
  return split;
}

bool LeavesOut(const SplitSpec& split, const ImportedRow& row) {
  const std::string text = Column(row, split.column);
  if (split.relation == "=") return GlobMatch(split.value, text);
  double value = 0, limit = 0;
  if (!ParseDouble(text, &value) || !ParseDouble(split.value, &limit)) return false;
  if (split.relation == ">=") return value >= limit;
  if (split.relation == "<=") return value <= limit;
  return split.relation == ">" ? value > limit : value < limit;
}

}  // namespace nas
