// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace nas::detail {

/// This machine's address on the route to `host`, by a UDP socket that sends nothing. Throws kUnavailable when the name
/// is not known or there is no route.
std::string OwnAddressTowards(const std::string& host, int port);

}  // namespace nas::detail
