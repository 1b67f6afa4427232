// SPDX-License-Identifier: Apache-2.0
#include "nas/export/export_options.h"

#include <algorithm>

#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas {

void ExportOptions::Validate() const {
  if (arch.empty() == run.empty()) {
    ThrowUsage(arch.empty() ? "nothing to export; give --run DIR or --arch FILE"
                            : "--arch and --run exclude each other; give one of them");
  }
  if (!weights.empty() && arch.empty()) ThrowUsage("--weights belongs to --arch; a --run has its own");
  if (!target.empty() && run.empty()) ThrowUsage("--target chooses a network of --run; give --run DIR too");
  if (images < 8 || images > 10000) ThrowUsage(StrCat("--images ", images, ": give 8 to 10000"));
  const bool onnx = std::find(formats.begin(), formats.end(), "onnx") != formats.end();
  if ((keep_bn || fp16) && !onnx) {
    ThrowUsage(StrCat(keep_bn ? "--keep-bn" : "--fp16", " is about ONNX; add onnx to --format"));
  }
}

void VerifyOptions::Validate() const {
  if (no_data && !data.empty()) ThrowUsage("--data and --no-data exclude each other; give one of them");
  if (!(accuracy_tolerance >= 0 && accuracy_tolerance <= 1)) {
    ThrowUsage(StrCat("--accuracy-tolerance ", accuracy_tolerance, ": give a share from 0 to 1, or percent"));
  }
  if (!(latency_tolerance >= 0 && latency_tolerance <= 1)) {
    ThrowUsage(StrCat("--latency-tolerance ", latency_tolerance, ": give a share from 0 to 1, or percent"));
  }
}

}  // namespace nas
