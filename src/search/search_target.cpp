// SPDX-License-Identifier: Apache-2.0
#include "nas/search/search_target.h"

#include <cctype>

#include "nas/core/text.h"

namespace nas {

std::string SearchTarget::unit() const {
  switch (table.unit) {
    case CostUnit::kMillis:
      return "ms";
    case CostUnit::kMacs:
      return "macs";
    case CostUnit::kParams:
      return "params";
  }
  return "";
}

std::optional<double> ResolveBudget(const TargetRequest& request, const CostTable& table) {
  if (request.share) return table.MinCost() + *request.share * (table.MaxCost() - table.MinCost());
  return request.amount;
}

std::string TargetFolder(const TargetRequest& request) {
  std::string name = request.name.substr(request.name.rfind('/') + 1);
  if (EndsWith(name, ".json")) name.resize(name.size() - 5);
  if (!request.text.empty()) {
    std::string budget = request.text;
    if (budget.back() == '%') budget.replace(budget.size() - 1, 1, "pct");
    name += "-" + budget;
  }
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '.' && c != '_') c = '_';
  }
  return name;
}

}  // namespace nas
