// SPDX-License-Identifier: Apache-2.0
#include "tf_record.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

namespace nas::detail {
namespace {

template <typename Integer>
std::string LittleEndian(Integer value) {
  std::string bytes;
  for (std::size_t i = 0; i < sizeof value; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xff);
  return bytes;
}

std::string Varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(0x80 | (value & 0x7f));
  return bytes += static_cast<char>(value);
}

// Fields of the wire format: key = number << 3 | type (0 varint, 1 64 bits, 2 length-delimited, 5 32 bits).
std::string Key(int field, int type) { return Varint(static_cast<std::uint64_t>(field << 3 | type)); }
std::string DoubleField(int field, double value) {
  return Key(field, 1) += LittleEndian(std::bit_cast<std::uint64_t>(value));
}
std::string FloatField(int field, double value) {
  return Key(field, 5) += LittleEndian(std::bit_cast<std::uint32_t>(static_cast<float>(value)));
}
std::string BytesField(int field, std::string_view bytes) {
  return Key(field, 2).append(Varint(bytes.size())).append(bytes);
}
std::string PackedDoubles(int field, const std::vector<double>& values) {
  std::string bytes;
  for (const double value : values) bytes += LittleEndian(std::bit_cast<std::uint64_t>(value));
  return BytesField(field, bytes);
}

constexpr std::array<std::uint32_t, 256> MakeTable() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
    table[i] = crc;
  }
  return table;
}

}  // namespace

std::uint32_t Crc32c(std::string_view bytes) {
  static constexpr std::array<std::uint32_t, 256> kTable = MakeTable();
  std::uint32_t crc = 0xffffffff;
  for (const char byte : bytes) crc = crc >> 8 ^ kTable[(crc ^ static_cast<unsigned char>(byte)) & 0xff];
  return ~crc;
}

std::uint32_t MaskedCrc32c(std::string_view bytes) { return std::rotr(Crc32c(bytes), 15) + 0xa282ead8; }

std::string TfRecord(std::string_view data) {
  const std::string length = LittleEndian(static_cast<std::uint64_t>(data.size()));
  return (length + LittleEndian(MaskedCrc32c(length))).append(data).append(LittleEndian(MaskedCrc32c(data)));
}

TfEvent::TfEvent(double wall_time, std::int64_t step) : wall_time_(wall_time), step_(step) {}

void TfEvent::AddScalar(std::string_view tag, double value) {
  summary_ += BytesField(1, BytesField(1, tag).append(FloatField(2, value)));
}

void TfEvent::AddHistogram(std::string_view tag, const std::vector<double>& values) {
  constexpr int kBuckets = 30;
  std::vector<double> finite;
  std::copy_if(values.begin(), values.end(), std::back_inserter(finite), [](double v) { return std::isfinite(v); });
  if (finite.empty()) return;
  const auto [least, most] = std::minmax_element(finite.begin(), finite.end());
  const double low = *least, width = std::max(*most - *least, 1e-12) / kBuckets;
  std::vector<double> limits, counts(kBuckets, 0);
  for (int i = 1; i <= kBuckets; ++i) limits.push_back(low + width * i);
  double sum = 0, squares = 0;
  for (const double value : finite) {
    counts[std::clamp(static_cast<int>((value - low) / width), 0, kBuckets - 1)] += 1;
    sum += value;
    squares += value * value;
  }
  const std::string histogram = DoubleField(1, low)
                                    .append(DoubleField(2, *most))
                                    .append(DoubleField(3, static_cast<double>(finite.size())))
                                    .append(DoubleField(4, sum))
                                    .append(DoubleField(5, squares))
                                    .append(PackedDoubles(6, limits))
                                    .append(PackedDoubles(7, counts));
  summary_ += BytesField(1, BytesField(1, tag).append(BytesField(5, histogram)));
}

std::string TfEvent::Serialized() const {
  return DoubleField(1, wall_time_)
      .append(Key(2, 0))
      .append(Varint(static_cast<std::uint64_t>(step_)))
      .append(BytesField(5, summary_));
}

std::string TfEvent::FileVersion(double wall_time) {
  return DoubleField(1, wall_time).append(BytesField(3, "brain.Event:2"));
}

}  // namespace nas::detail
