// SPDX-License-Identifier: Apache-2.0
#include "nas/nn/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <numeric>
#include <optional>
#include <set>
#include <string_view>

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/json.h"
#include "nas/core/text.h"

namespace nas {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian");

constexpr std::uint64_t kMaxHeader = 100'000'000;  // bytes; the limit of the format's reference reader

struct DtypeName {
  std::string_view name;
  at::ScalarType dtype;
};

constexpr std::array<DtypeName, 8> kDtypes{{{"F32", at::kFloat},
                                            {"F64", at::kDouble},
                                            {"BF16", at::kBFloat16},
                                            {"F16", at::kHalf},
                                            {"I64", at::kLong},
                                            {"I32", at::kInt},
                                            {"U8", at::kByte},
                                            {"BOOL", at::kBool}}};

/// Where one tensor lies in the data part.
struct Entry {
  std::string name;
  at::ScalarType dtype = at::kFloat;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

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
    const std::vector<Entry> entries = ParseHeader(text, &file.metadata);
    const std::uint64_t data_start = 8 + header_size;
    CheckRegions(entries, size_ - data_start);
    for (const Entry& entry : entries) {
      at::Tensor tensor = at::empty(entry.shape, entry.dtype);
      in_.seekg(static_cast<std::streamoff>(data_start + entry.begin));
      ReadBytes(static_cast<char*>(tensor.data_ptr()), entry.end - entry.begin);
      if (entry.dtype == at::kBool) CheckBools(entry, tensor);
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

  /// JSON without comments or repeated keys, starting with '{' as the format asks.
  Json ParseJson(const std::string& text) const {
    if (text.empty() || text.front() != '{') Fail("has a header that does not start with '{'");
    std::vector<std::set<std::string>> keys;
    std::string repeated;
    const auto watch = [&](int /*depth*/, Json::parse_event_t event, Json& value) {
      if (event == Json::parse_event_t::object_start) keys.emplace_back();
      if (event == Json::parse_event_t::object_end) keys.pop_back();
      if (event == Json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second) {
        repeated = value.get<std::string>();
      }
      return true;
    };
    Json header;
    try {
      header = Json::parse(text, watch);
    } catch (const nlohmann::json::exception& error) {
      Fail(StrCat("has a header that is not JSON: ", error.what()));
    }
    if (!repeated.empty()) Fail(StrCat("repeats the key \"", repeated, "\" in its header"));
    return header;
  }

  std::vector<Entry> ParseHeader(const std::string& text, std::map<std::string, std::string>* metadata) const {
    const Json header = ParseJson(text);
    std::vector<Entry> entries;
    for (const auto& [name, value] : header.items()) {
      if (!value.is_object()) Fail(StrCat("has a header entry \"", name, "\" that is not an object"));
      if (name == "__metadata__") {
        for (const auto& [key, word] : value.items()) {
          if (!word.is_string()) Fail(StrCat("has a metadata value \"", key, "\" that is not text"));
          metadata->emplace(key, word.get<std::string>());
        }
      } else {
        entries.push_back(ParseEntry(name, value));
      }
    }
    return entries;
  }

  Entry ParseEntry(const std::string& name, const Json& value) const {
    for (const auto& [key, unused] : value.items()) {
      if (key != "dtype" && key != "shape" && key != "data_offsets") {
        Fail(StrCat("has an unknown key \"", key, "\" in tensor \"", name, "\""));
      }
    }
    for (const char* key : {"dtype", "shape", "data_offsets"}) {
      if (!value.contains(key)) Fail(StrCat("lacks the key \"", key, "\" in tensor \"", name, "\""));
    }
    Entry entry;
    entry.name = name;
    entry.dtype = ParseDtype(name, value["dtype"]);
    const std::vector<std::uint64_t> offsets = ParseNumbers(name, "data_offsets", value["data_offsets"]);
    if (offsets.size() != 2 || offsets[0] > offsets[1]) {
      Fail(StrCat("needs two ascending data_offsets in tensor \"", name, "\""));
    }
    entry.begin = offsets[0];
    entry.end = offsets[1];
    std::uint64_t bytes = c10::elementSize(entry.dtype);
    for (const std::uint64_t size : ParseNumbers(name, "shape", value["shape"])) {
      // The product of the sizes has to fit even where another size is 0: LibTorch multiplies strides.
      if (size > INT64_MAX || __builtin_mul_overflow(bytes, std::max<std::uint64_t>(size, 1), &bytes) ||
          bytes > INT64_MAX) {
        Fail(StrCat("has a shape that overflows in tensor \"", name, "\""));
      }
      entry.shape.push_back(static_cast<std::int64_t>(size));
    }
    if (std::find(entry.shape.begin(), entry.shape.end(), 0) != entry.shape.end()) bytes = 0;
    if (bytes != entry.end - entry.begin) {
      Fail(StrCat("gives ", entry.end - entry.begin, " bytes to tensor \"", name, "\", whose shape needs ", bytes));
    }
    return entry;
  }

  at::ScalarType ParseDtype(const std::string& name, const Json& value) const {
    std::vector<std::string> known;
    for (const DtypeName& dtype : kDtypes) {
      if (value.is_string() && value.get<std::string>() == dtype.name) return dtype.dtype;
      known.emplace_back(dtype.name);
    }
    Fail(StrCat("has an unknown dtype ", value.dump(), " in tensor \"", name, "\"; known: ", Join(known, ", ")));
  }

  std::vector<std::uint64_t> ParseNumbers(const std::string& name, const char* key, const Json& value) const {
    std::vector<std::uint64_t> numbers;
    bool good = value.is_array();
    if (good) {
      for (const Json& number : value) {
        good = good && number.is_number_unsigned();
        if (good) numbers.push_back(number.get<std::uint64_t>());
      }
    }
    if (!good) Fail(StrCat("needs whole numbers from 0 as ", key, " of tensor \"", name, "\""));
    return numbers;
  }

  /// The regions have to cover the data part without overlap or hole.
  void CheckRegions(std::vector<Entry> entries, std::uint64_t data_size) const {
    std::sort(entries.begin(), entries.end(),
              [](const Entry& a, const Entry& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
    std::uint64_t covered = 0;
    for (const Entry& entry : entries) {
      if (entry.begin < covered) Fail(StrCat("has data of tensor \"", entry.name, "\" that overlap another tensor's"));
      if (entry.begin > covered) {
        Fail(StrCat("has a hole of ", entry.begin - covered, " bytes before tensor \"", entry.name, "\""));
      }
      covered = entry.end;
    }
    if (covered > data_size) {
      Fail(StrCat("is truncated: ", covered, " bytes of data are described, ", data_size, " are there"));
    }
    if (covered < data_size) Fail(StrCat("has a hole of ", data_size - covered, " bytes at its end"));
  }

  void CheckBools(const Entry& entry, const at::Tensor& tensor) const {
    const auto* bytes = static_cast<const unsigned char*>(tensor.data_ptr());
    if (std::any_of(bytes, bytes + tensor.numel(), [](unsigned char byte) { return byte > 1; })) {
      Fail(StrCat("has a BOOL that is neither 0 nor 1 in tensor \"", entry.name, "\""));
    }
  }

  std::filesystem::path path_;
  std::ifstream in_;
  std::uint64_t size_ = 0;
};

std::string_view DtypeWord(const std::string& name, at::ScalarType dtype) {
  for (const DtypeName& known : kDtypes) {
    if (known.dtype == dtype) return known.name;
  }
  ThrowInternal(StrCat("tensor \"", name, "\" of type ", c10::toString(dtype), " cannot be written to safetensors"));
}

}  // namespace

void WriteSafetensors(const std::filesystem::path& path, const NamedTensorList& tensors,
                      const std::map<std::string, std::string>& metadata) {
  // Wide types first: every tensor then lies at a multiple of its item size, which readers that map the file rely on.
  std::vector<std::size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return tensors[a].second.element_size() > tensors[b].second.element_size();
  });
  std::vector<std::uint64_t> begin(tensors.size());
  std::uint64_t total = 0;
  for (const std::size_t i : order) {
    begin[i] = total;
    total += static_cast<std::uint64_t>(tensors[i].second.numel() * tensors[i].second.element_size());
  }

  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const auto& [name, tensor] = tensors[i];
    if (name == "__metadata__" || header.contains(name)) {
      ThrowInternal(StrCat("tensor name \"", name, "\" is reserved or given twice"));
    }
    const auto bytes = static_cast<std::uint64_t>(tensor.numel() * tensor.element_size());
    header[name] = {{"dtype", DtypeWord(name, tensor.scalar_type())},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {begin[i], begin[i] + bytes}}};
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');

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
