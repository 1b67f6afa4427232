// SPDX-License-Identifier: Apache-2.0
#include "nas/latency/publish.h"

#include <algorithm>
#include <cctype>

#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/latency/target_name.h"

namespace nas {

LatencyTable Publish(LatencyTable table, const EvalData& data, const std::vector<std::string>& splits,
                     const std::string& date) {
  FitOptions compact;
  compact.residual_options.exact_limit = 0;
  FitTable(table, compact);
  table.certificate = MakeCertificate(table, data, splits, date, /*seed=*/0, compact);
  table.created = date + "T00:00:00Z";
  table.rows.clear();
  table.nets.clear();
  table.runs.clear();
  return table;
}

void CheckTableName(const std::string& name) {
  const bool plain = !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
  });
  if (!plain || EndsWith(name, ".json")) {
    ThrowUsage(StrCat("\"", name, "\" is no table name; use letters, digits, '-', '_' and '.', without \".json\""));
  }
  const std::vector<std::string>& aliases = TargetAliases();
  if (std::find(aliases.begin(), aliases.end(), name) != aliases.end()) {
    ThrowUsage(StrCat("\"", name, "\" is an alias of targets; choose another name for the table"));
  }
}

}  // namespace nas
