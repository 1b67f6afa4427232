// SPDX-License-Identifier: Apache-2.0
#include "pack_index.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstdio>

#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas::detail {
namespace {

constexpr std::string_view kMagic = "NASPACK1";
constexpr std::size_t kHeaderBytes = 24;
constexpr std::uint8_t kUsable = 0xFF;
enum InfoBit : std::uint8_t { kCmyk = 1, kGrey = 2, kPalette = 4, kAlpha = 8, kSixteenBit = 16 };

class Writer {
 public:
  template <typename T>
  void Number(T value) {
    const auto bits = static_cast<std::uint64_t>(value);
    for (std::size_t i = 0; i < sizeof(T); ++i) out_ += static_cast<char>((bits >> (8 * i)) & 0xFFU);
  }
  void Text(std::string_view text) {
    Number(static_cast<std::uint32_t>(text.size()));
    out_ += text;
  }
  void Texts(const std::vector<std::string>& texts) {
    Number(std::uint64_t{texts.size()});
    for (const std::string& text : texts) Text(text);
  }
  const std::string& out() const { return out_; }

 private:
  std::string out_;
};

/// Reads what Writer wrote; every count is held against the bytes that are left before memory is asked for.
class Reader {
 public:
  Reader(std::string_view body, const std::string& path) : left_(body), path_(path) {}

  template <typename T>
  T Number() {
    Need(sizeof(T));
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) bits |= std::uint64_t{static_cast<std::uint8_t>(left_[i])} << (8 * i);
    left_.remove_prefix(sizeof(T));
    return static_cast<T>(bits);
  }
  std::int64_t Size(const char* what) {
    const auto value = Number<std::int64_t>();
    if (value < 0) Fail(StrCat(what, " is ", value));
    return value;
  }
  std::string Text() {
    const auto length = Number<std::uint32_t>();
    Need(length);
    std::string text(left_.substr(0, length));
    left_.remove_prefix(length);
    return text;
  }
  std::size_t Count(std::size_t bytes_each) {
    const auto count = Number<std::uint64_t>();
    if (count > left_.size() / bytes_each) Fail(StrCat("a list of ", count, " elements is longer than the file"));
    return static_cast<std::size_t>(count);
  }
  std::vector<std::string> Texts() {
    std::vector<std::string> texts(Count(sizeof(std::uint32_t)));
    for (std::string& text : texts) text = Text();
    return texts;
  }
  bool AtEnd() const { return left_.empty(); }

  [[noreturn]] void Fail(const std::string& what) const {
    ThrowInput(StrCat(path_, " is damaged: ", what, "; pack the folder again with --force"));
  }

 private:
  void Need(std::size_t bytes) const {
    if (bytes > left_.size()) Fail("its records end before their count does");
  }

  std::string_view left_;
  const std::string& path_;
};

void WriteExamined(const ExaminedFile& examined, Writer* out) {
  const ImageInfo& info = examined.info;
  out->Number(examined.usable ? kUsable : static_cast<std::uint8_t>(examined.bad));
  out->Number(static_cast<std::uint8_t>(info.format));
  out->Number(static_cast<std::uint8_t>((info.cmyk ? kCmyk : 0) | (info.grey ? kGrey : 0) |
                                        (info.palette ? kPalette : 0) | (info.alpha ? kAlpha : 0) |
                                        (info.sixteen_bit ? kSixteenBit : 0)));
  out->Number(static_cast<std::uint32_t>(info.width));
  out->Number(static_cast<std::uint32_t>(info.height));
}

ExaminedFile ReadExamined(Reader* in) {
  ExaminedFile examined;
  const auto state = in->Number<std::uint8_t>();
  const auto format = in->Number<std::uint8_t>();
  const auto bits = in->Number<std::uint8_t>();
  const auto width = in->Number<std::uint32_t>();
  const auto height = in->Number<std::uint32_t>();
  examined.usable = state == kUsable;
  if (!examined.usable) {
    if (state > static_cast<std::uint8_t>(BadKind::kUnreadable)) in->Fail(StrCat("unknown state ", int{state}));
    examined.bad = static_cast<BadKind>(state);
    return examined;
  }
  if (format < 1 || format > static_cast<std::uint8_t>(ImageFormat::kPng)) {
    in->Fail(StrCat("unknown image format ", int{format}));
  }
  if (width < 1 || height < 1 || std::uint64_t{width} * height > std::uint64_t{kMaxPixels}) {
    in->Fail(StrCat("an image of ", width, "x", height, " pixels"));
  }
  ImageInfo& info = examined.info;
  info = {static_cast<ImageFormat>(format), static_cast<int>(width), static_cast<int>(height)};
  info.cmyk = (bits & kCmyk) != 0;
  info.grey = (bits & kGrey) != 0;
  info.palette = (bits & kPalette) != 0;
  info.alpha = (bits & kAlpha) != 0;
  info.sixteen_bit = (bits & kSixteenBit) != 0;
  return examined;
}

void WriteRecord(const PackRecord& record, Writer* out) {
  out->Text(record.name);
  out->Number(static_cast<std::uint32_t>(record.label));
  out->Number(record.listed_bytes);
  out->Number(record.shard);
  out->Number(record.offset);
  out->Number(record.bytes);
  out->Number(record.checksum);
  WriteExamined(record.examined, out);
}
constexpr std::size_t kSmallestRecord = 4 + 4 + 8 + 4 + 8 + 8 + 8 + 11;

PackRecord ReadRecord(const PackIndex& index, Reader* in) {
  PackRecord record;
  record.name = in->Text();
  const auto label = in->Number<std::uint32_t>();
  if (label >= index.classes.size()) in->Fail(StrCat("class ", label, " of ", index.classes.size()));
  record.label = static_cast<int>(label);
  record.listed_bytes = in->Number<std::int64_t>();
  record.shard = in->Number<std::uint32_t>();
  record.offset = in->Size("an offset");
  record.bytes = in->Size("a length");
  record.checksum = in->Number<std::uint64_t>();
  record.examined = ReadExamined(in);
  if (record.bytes == 0 && record.examined.usable) in->Fail(StrCat(record.name, " has no bytes"));
  if (record.bytes == 0) return record;
  if (record.shard >= index.shard_sizes.size()) {
    in->Fail(StrCat(record.name, " is in shard ", record.shard, " of ", index.shard_sizes.size()));
  }
  const std::int64_t size = index.shard_sizes[record.shard];
  if (record.bytes > size || record.offset > size - record.bytes) {
    in->Fail(StrCat(record.name, " lies beyond the end of ", ShardName(record.shard)));
  }
  return record;
}

}  // namespace

std::string ShardName(std::size_t shard) {
  char name[32];
  std::snprintf(name, sizeof name, "shard-%05zu.bin", shard);
  return name;
}

std::uint64_t RecordChecksum(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

std::string EncodePackIndex(const PackIndex& index) {
  Writer body;
  body.Text(index.listing_hash);
  body.Number(index.shard_bytes);
  body.Number(std::uint64_t{index.shard_sizes.size()});
  for (const std::int64_t size : index.shard_sizes) body.Number(size);
  body.Texts(index.classes);
  body.Text(index.test_folder);
  body.Texts(index.notes);
  body.Number(index.train_records);
  body.Number(index.total_records);
  body.Number(std::uint64_t{index.records.size()});
  for (const PackRecord& record : index.records) WriteRecord(record, &body);
  Writer head;
  head.Number(std::uint64_t{body.out().size()});
  head.Number(RecordChecksum(body.out()));
  return std::string(kMagic) + head.out() + body.out();
}

PackIndex DecodePackIndex(std::string_view content, const std::string& path) {
  if (content.substr(0, kMagic.size()) != kMagic.substr(0, std::min(content.size(), kMagic.size())) ||
      content.empty()) {
    Reader({}, path).Fail("it does not begin as an index does");
  }
  if (content.size() < kHeaderBytes) Reader({}, path).Fail("it is cut off");
  Reader head(content.substr(kMagic.size(), kHeaderBytes - kMagic.size()), path);
  const auto body_bytes = head.Number<std::uint64_t>();
  const auto checksum = head.Number<std::uint64_t>();
  const std::string_view body = content.substr(kHeaderBytes);
  if (body.size() != body_bytes) {
    head.Fail(StrCat("it has ", content.size(), " bytes instead of ", body_bytes + kHeaderBytes));
  }
  if (RecordChecksum(body) != checksum) head.Fail("its checksum is wrong");

  Reader in(body, path);
  PackIndex index;
  index.listing_hash = in.Text();
  index.shard_bytes = in.Size("the shard size");
  index.shard_sizes.resize(in.Count(sizeof(std::int64_t)));
  for (std::int64_t& size : index.shard_sizes) size = in.Size("a shard's size");
  index.classes = in.Texts();
  index.test_folder = in.Text();
  index.notes = in.Texts();
  index.train_records = in.Size("the number of training images");
  index.total_records = in.Size("the number of images");
  if (index.train_records > index.total_records) in.Fail("it has more training images than images");
  const std::size_t records = in.Count(kSmallestRecord);
  if (static_cast<std::int64_t>(records) > index.total_records) in.Fail("it has more records than it says");
  index.records.reserve(records);
  for (std::size_t i = 0; i < records; ++i) index.records.push_back(ReadRecord(index, &in));
  if (!in.AtEnd()) in.Fail("bytes follow its last record");
  return index;
}

}  // namespace nas::detail
