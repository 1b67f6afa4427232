// SPDX-License-Identifier: Apache-2.0
#include <climits>
#include <cstdlib>

#include "nas/core/machine.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace nas {

void KeepLargeBuffers() {
#ifdef __GLIBC__
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
#endif
}

void ReleaseFreeBuffers() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace nas
