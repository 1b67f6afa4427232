// SPDX-License-Identifier: Apache-2.0
// Known answers from the protocol buffers documentation.
#include "export/wire_encoder.h"

#include <cstdint>

#include "support/catch_compat.h"

using nas::detail::WireMessage;

namespace {

std::string Bytes(std::initializer_list<int> values) {
  std::string bytes;
  for (const int value : values) bytes += static_cast<char>(value);
  return bytes;
}

}  // namespace

TEST_CASE("fields are encoded as protocol buffers say", "[export]") {
  REQUIRE(WireMessage().Int(1, 150).bytes() == Bytes({0x08, 0x96, 0x01}));
  REQUIRE(WireMessage().Bytes(2, "testing").bytes() == Bytes({0x12, 0x07}) + "testing");
  REQUIRE(WireMessage().Message(3, WireMessage().Int(1, 150)).bytes() == Bytes({0x1a, 0x03, 0x08, 0x96, 0x01}));
  REQUIRE(WireMessage().Float(2, 1.0F).bytes() == Bytes({0x15, 0x00, 0x00, 0x80, 0x3f}));
  // Field numbers from 16 on take two bytes, negative numbers ten.
  REQUIRE(WireMessage().Int(20, 7).bytes() == Bytes({0xa0, 0x01, 0x07}));
  REQUIRE(WireMessage().Int(8, -1).bytes() ==
          Bytes({0x40, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}));
  REQUIRE(WireMessage().Int(1, 0).Int(1, 127).Int(1, 128).bytes() == Bytes({8, 0, 8, 0x7f, 8, 0x80, 1}));
}
