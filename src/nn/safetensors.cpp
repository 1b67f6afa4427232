// SPDX-License-Identifier: Apache-2.0
#include "nas/nn/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <fstream>
#include <numeric>

#include <ATen/ATen.h>

#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/text.h"
#include "safetensors_header.h"

namespace nas {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian");

constexpr std::uint64_t kMaxHeader = 100'000'000;  // bytes; the limit of the format's reference reader

/// In the order of kSafetensorsDtypes.
constexpr std::array<at::ScalarType, detail::kSafetensorsDtypes.size()> kScalarTypes{
    at::kFloat, at::kDouble, at::kBFloat16, at::kHalf, at::kLong, at::kInt, at::kByte, at::kBool};

class Reader {
 public:
  explicit Reader(const std::filesystem::path& path) : path_(path), in_(path, std::ios::binary) {
    if (!in_) Fail("cannot be opened");
    in_.seekg(0, std::ios::end);
    const std::streamoff size = in_.tellg();
    if (!in_ || size < 0) Fail("is not a readable file");
    size_ = static_cast<std::uint64_t>(size);
    in_.seekg(0);
  }

  SafetensorsFile Read() {
    const std::uint64_t header_size = ReadHeaderSize();
    std::string text(static_cast<std::size_t>(header_size), '\0');
    ReadBytes(text.data(), header_size);
    SafetensorsFile file;
    const std::uint64_t data_start = 8 + header_size;
    detail::SafetensorsHeader header = detail::ParseSafetensorsHeader(text, size_ - data_start, path_.string());
    file.metadata = std::move(header.metadata);
    for (const detail::SafetensorsEntry& entry : header.entries) {
      at::Tensor tensor = at::empty(entry.shape, kScalarTypes[entry.dtype]);
      in_.seekg(static_cast<std::streamoff>(data_start + entry.begin));
      ReadBytes(static_cast<char*>(tensor.data_ptr()), entry.end - entry.begin);
      if (kScalarTypes[entry.dtype] == at::kBool) CheckBools(entry, tensor);
      file.tensors.emplace_back(entry.name, std::move(tensor));
    }
    return file;
  }

 private:
  [[noreturn]] void Fail(const std::string& fault) const {
    ThrowInput(StrCat("safetensors file ", path_.string(), " ", fault));
  }

  void ReadBytes(char* to, std::uint64_t count) {
    if (count == 0) return;
    in_.read(to, static_cast<std::streamsize>(count));
    if (!in_) Fail("is truncated: its end came while reading");
  }

  std::uint64_t ReadHeaderSize() {
    if (size_ < 8) Fail(StrCat("is truncated: ", size_, " bytes are less than the length of a header"));
    std::uint64_t header_size = 0;
    ReadBytes(reinterpret_cast<char*>(&header_size), 8);
    if (header_size > kMaxHeader) Fail(StrCat("has a header of ", header_size, " bytes; at most 100 MB are accepted"));
    if (header_size > size_ - 8) {
      Fail(StrCat("is truncated: a header of ", header_size, " bytes is announced, ", size_ - 8, " bytes follow"));
    }
    return header_size;
  }

  void CheckBools(const detail::SafetensorsEntry& entry, const at::Tensor& tensor) const {
    const auto* bytes = static_cast<const unsigned char*>(tensor.data_ptr());
    if (std::any_of(bytes, bytes + tensor.numel(), [](unsigned char byte) { return byte > 1; })) {
      Fail(StrCat("has a BOOL that is neither 0 nor 1 in tensor \"", entry.name, "\""));
    }
  }

  std::filesystem::path path_;
  std::ifstream in_;
  std::uint64_t size_ = 0;
};

std::size_t DtypeIndex(const std::string& name, at::ScalarType dtype) {
  const auto found = std::find(kScalarTypes.begin(), kScalarTypes.end(), dtype);
  if (found == kScalarTypes.end()) {
    ThrowInternal(StrCat("tensor \"", name, "\" of type ", c10::toString(dtype), " cannot be written to safetensors"));
  }
  return static_cast<std::size_t>(found - kScalarTypes.begin());
}

std::uint64_t ByteSize(const at::Tensor& tensor) {
  return static_cast<std::uint64_t>(tensor.numel() * tensor.element_size());
}

}  // namespace

void WriteSafetensors(const std::filesystem::path& path, const NamedTensorList& tensors,
                      const std::map<std::string, std::string>& metadata) {
  detail::SafetensorsHeader header;
  header.metadata = metadata;
  for (const auto& [name, tensor] : tensors) {
    detail::SafetensorsEntry& entry = header.entries.emplace_back();
    entry.name = name;
    entry.dtype = DtypeIndex(name, tensor.scalar_type());
    entry.shape = tensor.sizes().vec();
  }
  // Wide types first: every tensor then lies at a multiple of its item size, which readers that map the file rely on.
  std::vector<std::size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return tensors[a].second.element_size() > tensors[b].second.element_size();
  });
  std::uint64_t total = 0;
  for (const std::size_t i : order) {
    header.entries[i].begin = total;
    total += ByteSize(tensors[i].second);
    header.entries[i].end = total;
  }

  const std::string text = detail::FormatSafetensorsHeader(header);
  std::string content;
  content.reserve(8 + text.size() + static_cast<std::size_t>(total));
  const std::uint64_t header_size = text.size();
  content.append(reinterpret_cast<const char*>(&header_size), 8);
  content.append(text);
  for (const std::size_t i : order) {
    const at::Tensor tensor = tensors[i].second.detach().to(at::kCPU).contiguous();
    content.append(static_cast<const char*>(tensor.data_ptr()), tensor.nbytes());
  }
  WriteFileAtomic(path, content);
}

SafetensorsFile ReadSafetensors(const std::filesystem::path& path) { return Reader(path).Read(); }

}  // namespace nas
