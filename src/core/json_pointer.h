// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace nas::detail {

/// The JSON pointer (RFC 6901) of a member or element of the value at `pointer`.
inline std::string PointerTo(const std::string& pointer, const std::string& name) {
  std::string child = pointer + '/';
  for (const char c : name) {
    if (c == '~') {
      child += "~0";
    } else if (c == '/') {
      child += "~1";
    } else {
      child += c;
    }
  }
  return child;
}

}  // namespace nas::detail
