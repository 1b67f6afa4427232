// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "nas/core/json.h"

namespace nas::detail {

/// Text for HTML and SVG, in elements and in quoted attributes.
std::string Escaped(std::string_view text);

/// JSON for a script element: `<` is written \u003c, so that nothing in it can end the element.
std::string ScriptJson(const Json& value);

/// One CSV field, quoted where needed (RFC 4180).
std::string CsvField(std::string_view text);

/// A number for programs: shortest form that reads back equal to 9 digits.
std::string Plain(double value);

}  // namespace nas::detail
