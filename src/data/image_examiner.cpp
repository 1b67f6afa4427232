// SPDX-License-Identifier: Apache-2.0
#include "image_examiner.h"

#include <algorithm>
#include <atomic>

#include "nas/core/text.h"
#include "parallel_for.h"

namespace nas::detail {
namespace {

constexpr std::int64_t kFilesPerBlock = 256;
constexpr double kMostBad = 0.01;
constexpr std::size_t kNamesShown = 3;

ExaminedFile ExamineFile(const ImageStore& store, const ListedFile& file, ExamineDepth depth,
                         std::vector<std::uint8_t>* block) {
  if (depth == ExamineDepth::kHeader) return store.ExamineHeader(file);
  ExaminedFile result;
  try {
    const std::string content = store.Read(file);
    const ByteSpan bytes = AsBytes(content);
    result.info = ReadImageInfo(bytes);
    const Image image = DecodeImage(bytes, Damage::kRefuse);
    if (depth == ExamineDepth::kKeep) block->insert(block->end(), image.pixels.begin(), image.pixels.end());
    result.usable = true;
  } catch (const DecodeError& error) {
    result.bad = error.kind();
  }
  return result;
}

std::int64_t DecodedBytes(const ImageInfo& info) { return std::int64_t{3} * info.width * info.height; }

/// What is changed on the way to 8-bit RGB, or odd about the name.
std::vector<std::string> Conversions(const std::string& name, const ImageInfo& info) {
  std::vector<std::string> kinds;
  const bool named_png = EndsWith(ToLower(name), ".png");
  if (info.format == ImageFormat::kPng && !named_png) kinds.push_back("PNG named .JPEG");
  if (info.format == ImageFormat::kJpeg && named_png) kinds.push_back("JPEG named .PNG");
  if (info.cmyk) kinds.push_back("CMYK");
  if (info.sixteen_bit) kinds.push_back("16-bit");
  if (info.grey) kinds.push_back("grey");
  if (info.palette) kinds.push_back("palette");
  if (info.alpha) kinds.push_back("transparent");
  return kinds;
}

}  // namespace

Examination ExamineFiles(const ImageStore& store, const std::vector<ListedFile>& files, ExamineDepth depth,
                         std::int64_t byte_limit, int threads) {
  const auto count = static_cast<std::int64_t>(files.size());
  Examination result;
  result.files.resize(files.size());
  if (depth == ExamineDepth::kKeep) result.blocks.resize((files.size() + kFilesPerBlock - 1) / kFilesPerBlock);
  std::atomic<std::int64_t> kept{0};
  ParallelFor(count, kFilesPerBlock, threads, [&](std::int64_t begin, std::int64_t end) {
    if (depth == ExamineDepth::kKeep && kept > byte_limit) return;
    if (depth != ExamineDepth::kHeader) {
      std::vector<const ListedFile*> piece;
      for (std::int64_t i = begin; i < end; ++i) piece.push_back(&files[i]);
      store.WillRead(piece);
    }
    std::vector<std::uint8_t> block;
    for (std::int64_t i = begin; i < end; ++i) {
      const std::size_t before = block.size();
      result.files[i] = ExamineFile(store, files[i], depth, &block);
      kept += static_cast<std::int64_t>(block.size() - before);
    }
    if (depth != ExamineDepth::kKeep) return;
    block.shrink_to_fit();
    const std::uint8_t* pixels = block.data();
    for (std::int64_t i = begin; i < end; ++i) {
      if (!result.files[i].usable) continue;
      result.files[i].pixels = pixels;
      pixels += DecodedBytes(result.files[i].info);
    }
    result.blocks[begin / kFilesPerBlock] = std::move(block);
  });
  result.over_limit = depth == ExamineDepth::kKeep && kept > byte_limit;
  return result;
}

void Findings::Add(const ListedFile& file, const ExaminedFile& examined) {
  ++examined_;
  const auto count = [&](Group* group) {
    if (++group->count <= static_cast<std::int64_t>(kNamesShown)) group->first.push_back(file.name);
  };
  if (!examined.usable) {
    count(&bad_[Name(examined.bad)]);
    bad_files_.push_back({file.name, Name(examined.bad)});
    return;
  }
  for (const std::string& kind : Conversions(file.name, examined.info)) count(&converted_[kind]);
}

std::map<std::string, std::int64_t> Findings::Counts(const std::map<std::string, Group>& groups) {
  std::map<std::string, std::int64_t> counts;
  for (const auto& [kind, group] : groups) counts[kind] = group.count;
  return counts;
}

std::string Findings::Named(const Group& group) {
  const bool more = group.count > static_cast<std::int64_t>(group.first.size());
  return StrCat("(", Join(group.first, ", "), more ? ", …)" : ")");
}

std::vector<std::string> Findings::Notes() const {
  std::vector<std::string> notes;
  for (const auto& [kind, group] : bad_) {
    notes.push_back(
        StrCat("left out: ", group.count, " ", kind, group.count == 1 ? " file " : " files ", Named(group)));
  }
  for (const auto& [kind, group] : converted_) {
    notes.push_back(
        StrCat("read as 8-bit RGB: ", group.count, " ", kind, group.count == 1 ? " image " : " images ", Named(group)));
  }
  return notes;
}

std::string Findings::Problem(const std::string& spec) const {
  const auto bad = static_cast<std::int64_t>(bad_files_.size());
  if (static_cast<double>(bad) <= kMostBad * static_cast<double>(examined_)) return "";
  std::vector<std::string> first;
  for (const auto& file : bad_files_) {
    if (first.size() == kNamesShown) break;
    first.push_back(StrCat(file.path, " (", file.kind, ")"));
  }
  return StrCat(bad, " of ", examined_, " images in ", spec, " cannot be used, more than 1 %: ", Join(first, ", "),
                bad > static_cast<std::int64_t>(kNamesShown) ? ", …" : "", "; replace or remove them (`nas data check ",
                spec, "` lists all)");
}

}  // namespace nas::detail
