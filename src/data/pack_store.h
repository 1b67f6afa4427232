// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "folder_listing.h"

namespace nas::detail {

/// True where the folder holds the index of a pack, finished or not.
bool IsPack(const std::string& path);

/// The listing of the packed folder, whose store reads the shards: one read per image at a known place, its checksum
/// compared each time. Opening reads the index alone. Throws kInput naming the file: unfinished pack, damaged index, a
/// shard that is missing or has another size.
FolderListing OpenPack(const std::string& path);

}  // namespace nas::detail
