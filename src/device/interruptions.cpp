// SPDX-License-Identifier: Apache-2.0
#include "nas/device/interruptions.h"

#include <sys/resource.h>

namespace nas {

long Interruptions() {
  rusage usage{};
  return getrusage(RUSAGE_THREAD, &usage) == 0 ? usage.ru_nivcsw : 0;
}

}  // namespace nas
