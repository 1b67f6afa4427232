// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace nas::detail {

/// Writes one protocol-buffer message field by field (protobuf.dev, "Encoding"). LibTorch carries a libprotobuf of its
/// own; a second one in the process would clash with it.
class WireMessage {
 public:
  WireMessage& Int(int field, std::int64_t value);
  WireMessage& Float(int field, float value);
  WireMessage& Bytes(int field, std::string_view value);
  WireMessage& Message(int field, const WireMessage& message) { return Bytes(field, message.bytes_); }
  const std::string& bytes() const { return bytes_; }

 private:
  void Varint(std::uint64_t value);
  void Key(int field, unsigned wire_type);

  std::string bytes_;
};

}  // namespace nas::detail
