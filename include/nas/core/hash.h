// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace nas {

/// XXH3-128 as 32 hex digits.
std::string Hash128Hex(std::string_view bytes);
/// The same of a file's content, read in pieces. Throws kInput.
std::string HashFile(const std::filesystem::path& path);

}  // namespace nas
