// SPDX-License-Identifier: Apache-2.0
#include "option_checks.h"

#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas::detail {

void CheckNetworkSource(const std::string& arch, const std::string& run, const std::string& target) {
  if (arch.empty() && run.empty())
    ThrowUsage("no network given; name an architecture with --arch FILE or a run with --run DIR");
  if (!arch.empty() && !run.empty()) ThrowUsage("--arch and --run both name a network; give one of them");
  if (!target.empty() && run.empty())
    ThrowUsage(StrCat("--target ", target, " chooses a network of a run; give --run DIR"));
}

}  // namespace nas::detail
