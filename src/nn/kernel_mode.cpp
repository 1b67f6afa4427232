// SPDX-License-Identifier: Apache-2.0
#include "nas/nn/kernel_mode.h"

#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas {

std::string_view ToString(KernelMode mode) {
  switch (mode) {
    case KernelMode::kAuto:
      return "auto";
    case KernelMode::kFused:
      return "fused";
    case KernelMode::kTorch:
      return "torch";
  }
  ThrowInternal("a kernel mode without a name");
}

KernelMode ParseKernelMode(const std::string& word) {
  for (const KernelMode mode : {KernelMode::kAuto, KernelMode::kFused, KernelMode::kTorch}) {
    if (word == ToString(mode)) return mode;
  }
  ThrowUsage(StrCat("kernels \"", word, "\": auto, fused or torch"));
}

}  // namespace nas
