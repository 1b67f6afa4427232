// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nas::detail {

/// CRC-32C (Castagnoli), reflected polynomial 0x82f63b78.
std::uint32_t Crc32c(std::string_view bytes);
/// TFRecord's masked form: rotated by 15 bits plus 0xa282ead8.
std::uint32_t MaskedCrc32c(std::string_view bytes);
/// One record: length (u64 LE), its masked checksum, data, their masked checksum.
std::string TfRecord(std::string_view data);

/// One TensorBoard event in protobuf's wire format: Event {1 wall_time, 2 step, 3 file_version | 5 summary}.
class TfEvent {
 public:
  TfEvent(double wall_time, std::int64_t step);
  void AddScalar(std::string_view tag, double value);
  /// Buckets of equal width over the range of the values.
  void AddHistogram(std::string_view tag, const std::vector<double>& values);
  bool empty() const { return summary_.empty(); }
  std::string Serialized() const;
  /// The first record of a file.
  static std::string FileVersion(double wall_time);

 private:
  double wall_time_;
  std::int64_t step_;
  std::string summary_;
};

}  // namespace nas::detail
