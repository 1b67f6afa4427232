// SPDX-License-Identifier: Apache-2.0
#include "nas/data/loader_options.h"

#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas {

void LoaderOptions::Validate() const {
  if (batch < 1) ThrowUsage(StrCat("batch is ", batch, "; give at least 1"));
  if (resolution < 1 || resolution > 4096) ThrowUsage(StrCat("resolution is ", resolution, "; give 1 to 4096 pixels"));
  if (threads < 0 || threads > 1024) ThrowUsage(StrCat("loader threads is ", threads, "; give 0 to 1024"));
  if (prefetch < 1) ThrowUsage(StrCat("prefetch is ", prefetch, "; give at least 1 batch"));
}

}  // namespace nas
