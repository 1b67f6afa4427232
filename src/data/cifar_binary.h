// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "nas/data/dataset.h"

namespace nas::detail {

/// Reads the binary version of CIFAR-10: data_batch_*.bin and test_batch.bin, records of one label byte and 3 × 32 × 32
/// bytes in planes. Throws kInput naming file and fault.
DataSplits OpenCifarBinary(const std::string& folder);

}  // namespace nas::detail
