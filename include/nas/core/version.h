// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace nas {

/// Version of the program; the build reads it from here.
inline constexpr const char kVersion[] = "0.1.0";

}  // namespace nas
