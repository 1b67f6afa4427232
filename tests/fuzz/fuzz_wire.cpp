// SPDX-License-Identifier: Apache-2.0
// The writer of protocol-buffer messages that ONNX files are made of: whatever is written is read back field by field,
// nested messages included, by a decoder that shares no code with it.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "export/wire_encoder.h"

namespace {

using nas::detail::WireMessage;

struct Field {
  int number = 0;
  unsigned type = 0;
  std::uint64_t value = 0;  // of an integer, or the bits of a float
  std::string bytes;
};

std::uint64_t Varint(std::string_view* text) {
  std::uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    if (text->empty() || shift > 63) std::abort();
    const auto byte = static_cast<unsigned char>(text->front());
    text->remove_prefix(1);
    value |= std::uint64_t{byte & 0x7Fu} << shift;
    if ((byte & 0x80) == 0) return value;
  }
}

std::vector<Field> Decode(std::string_view text) {
  std::vector<Field> fields;
  while (!text.empty()) {
    const std::uint64_t key = Varint(&text);
    Field field;
    field.number = static_cast<int>(key >> 3);
    field.type = static_cast<unsigned>(key & 7);
    if (field.type == 0) {
      field.value = Varint(&text);
    } else {
      const std::uint64_t length = field.type == 5 ? 4 : field.type == 2 ? Varint(&text) : text.size() + 1;
      if (length > text.size()) std::abort();
      field.bytes = std::string(text.substr(0, length));
      text.remove_prefix(length);
      if (field.type == 5) {
        std::uint32_t bits = 0;
        std::memcpy(&bits, field.bytes.data(), 4);
        field.value = bits;
      }
    }
    fields.push_back(field);
  }
  return fields;
}

// Bytes that say what to write; zeros once they have run out.
class Script {
 public:
  Script(const std::uint8_t* bytes, std::size_t size) : bytes_(bytes), size_(size) {}
  bool empty() const { return at_ >= size_; }
  std::uint64_t Take(int count) {
    std::uint64_t value = 0;
    for (int i = 0; i < count; ++i) value = value << 8 | (at_ < size_ ? bytes_[at_++] : 0);
    return value;
  }

 private:
  const std::uint8_t* bytes_;
  std::size_t size_;
  std::size_t at_ = 0;
};

WireMessage Write(Script& script, int depth, std::vector<Field>* expected) {
  WireMessage message;
  for (auto count = static_cast<int>(script.Take(1) % 16); count > 0 && !script.empty(); --count) {
    Field field;
    field.number = 1 + static_cast<int>(script.Take(2) % 4096);
    switch (script.Take(1) % (depth < 4 ? 4 : 3)) {
      case 0: {
        field.value = script.Take(8);
        message.Int(field.number, static_cast<std::int64_t>(field.value));
        break;
      }
      case 1: {
        field.type = 5;
        const auto bits = static_cast<std::uint32_t>(script.Take(4));
        field.value = bits;
        float value = 0;
        std::memcpy(&value, &bits, 4);
        message.Float(field.number, value);
        field.bytes.assign(reinterpret_cast<const char*>(&bits), 4);
        break;
      }
      case 2: {
        field.type = 2;
        field.bytes.assign(script.Take(1), static_cast<char>(script.Take(1)));
        message.Bytes(field.number, field.bytes);
        break;
      }
      default: {
        field.type = 2;
        std::vector<Field> inner_expected;
        const WireMessage inner = Write(script, depth + 1, &inner_expected);
        message.Message(field.number, inner);
        field.bytes = inner.bytes();
      }
    }
    expected->push_back(field);
  }
  const std::vector<Field> read = Decode(message.bytes());
  if (read.size() != expected->size()) std::abort();
  for (std::size_t i = 0; i < read.size(); ++i) {
    const Field& is = read[i];
    const Field& was = (*expected)[i];
    if (is.number != was.number || is.type != was.type || is.value != was.value || is.bytes != was.bytes) std::abort();
  }
  return message;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  Script script(bytes, size);
  std::vector<Field> expected;
  Write(script, /*depth=*/0, &expected);
  return 0;
}
