// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "folder_listing.h"
#include "nas/data/dataset.h"

namespace nas::detail {

/// Opens a folder of class folders. Sets that fit decoded into `decoded_limit_bytes` are decoded now and kept, larger
/// ones are looked at by their headers and decoded on demand. Throws kInput (see OpenData).
DataSplits OpenImageFolder(const DataOptions& options);

/// Moves a fifth of each class (at least 1 image) from train to test, chosen by the seed. A class with one image
/// becomes a problem of the listing.
void SplitListing(std::uint64_t seed, FolderListing* listing);

/// Median of the values; 0 when there are none.
int MedianSide(std::vector<int> sides);

/// Below this many pixels of the short side a set counts as small images (CIFAR, SVHN, MNIST).
inline constexpr int kSmallSide = 64;

}  // namespace nas::detail
