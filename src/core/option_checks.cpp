// SPDX-License-Identifier: Apache-2.0
#include "nas/core/option_checks.h"

#include <algorithm>

#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas {

void CheckChoice(const std::string& flag, const std::string& value, const std::vector<std::string>& choices) {
  if (std::find(choices.begin(), choices.end(), value) == choices.end()) {
    ThrowUsage(StrCat("unknown ", flag, " \"", value, "\"", DidYouMean(value, choices)));
  }
}

void CheckRange(const std::string& flag, double value, double low, double high) {
  if (!(value >= low && value <= high)) {
    ThrowUsage(StrCat(flag, " ", value, " is out of range; give ", low, " to ", high));
  }
}

}  // namespace nas
