// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

namespace nas {

using NamedTensorList = std::vector<std::pair<std::string, at::Tensor>>;

struct SafetensorsFile {
  NamedTensorList tensors;                      ///< in file order, contiguous, on the CPU
  std::map<std::string, std::string> metadata;  ///< the `__metadata__` object
};

/// Writes atomically: u64 header length, JSON header padded to 8 bytes, data without holes. float32/64, bfloat16,
/// float16, int64, int32, uint8, bool. Throws kInput when the place cannot be written.
void WriteSafetensors(const std::filesystem::path& path, const NamedTensorList& tensors,
                      const std::map<std::string, std::string>& metadata);

/// Throws kInput naming the file and the fault: truncated, header over 100 MB, overlap, hole, overflow, duplicate or
/// missing key, unknown dtype, shape that does not match the region.
SafetensorsFile ReadSafetensors(const std::filesystem::path& path);

}  // namespace nas
