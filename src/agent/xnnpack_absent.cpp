// SPDX-License-Identifier: Apache-2.0
// In place of xnnpack_backend.cpp where the library was not found.
#include "backend.h"

namespace nas::agent {

std::vector<Backend> XnnpackBackends() { return {}; }

}  // namespace nas::agent
