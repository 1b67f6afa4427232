// SPDX-License-Identifier: Apache-2.0
#include "safetensors_header.h"

#include <algorithm>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/json.h"
#include "nas/core/text.h"

namespace nas::detail {
namespace {

class HeaderParser {
 public:
  explicit HeaderParser(const std::string& file) : file_(file) {}

  SafetensorsHeader Parse(const std::string& text, std::uint64_t data_size) const {
    const Json json = ParseJson(text);
    SafetensorsHeader header;
    for (const auto& [name, value] : json.items()) {
      if (!value.is_object()) Fail(StrCat("has a header entry \"", name, "\" that is not an object"));
      if (name == "__metadata__") {
        for (const auto& [key, word] : value.items()) {
          if (!word.is_string()) Fail(StrCat("has a metadata value \"", key, "\" that is not text"));
          header.metadata.emplace(key, word.get<std::string>());
        }
      } else {
        header.entries.push_back(ParseEntry(name, value));
      }
    }
    CheckRegions(header.entries, data_size);
    return header;
  }

 private:
  [[noreturn]] void Fail(const std::string& fault) const { ThrowInput(StrCat("safetensors file ", file_, " ", fault)); }

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

  SafetensorsEntry ParseEntry(const std::string& name, const Json& value) const {
    for (const auto& [key, unused] : value.items()) {
      if (key != "dtype" && key != "shape" && key != "data_offsets") {
        Fail(StrCat("has an unknown key \"", key, "\" in tensor \"", name, "\""));
      }
    }
    for (const char* key : {"dtype", "shape", "data_offsets"}) {
      if (!value.contains(key)) Fail(StrCat("lacks the key \"", key, "\" in tensor \"", name, "\""));
    }
    SafetensorsEntry entry;
    entry.name = name;
    entry.dtype = ParseDtype(name, value["dtype"]);
    const std::vector<std::uint64_t> offsets = ParseNumbers(name, "data_offsets", value["data_offsets"]);
    if (offsets.size() != 2 || offsets[0] > offsets[1]) {
      Fail(StrCat("needs two ascending data_offsets in tensor \"", name, "\""));
    }
    entry.begin = offsets[0];
    entry.end = offsets[1];
    std::uint64_t bytes = kSafetensorsDtypes[entry.dtype].bytes;
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

  std::size_t ParseDtype(const std::string& name, const Json& value) const {
    std::vector<std::string> known;
    for (std::size_t i = 0; i < kSafetensorsDtypes.size(); ++i) {
      if (value.is_string() && value.get<std::string>() == kSafetensorsDtypes[i].name) return i;
      known.emplace_back(kSafetensorsDtypes[i].name);
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
  void CheckRegions(std::vector<SafetensorsEntry> entries, std::uint64_t data_size) const {
    std::sort(entries.begin(), entries.end(), [](const SafetensorsEntry& a, const SafetensorsEntry& b) {
      return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
    });
    std::uint64_t covered = 0;
    for (const SafetensorsEntry& entry : entries) {
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

  const std::string& file_;
};

}  // namespace

SafetensorsHeader ParseSafetensorsHeader(const std::string& text, std::uint64_t data_size, const std::string& file) {
  return HeaderParser(file).Parse(text, data_size);
}

std::string FormatSafetensorsHeader(const SafetensorsHeader& header) {
  Json json = Json::object();
  if (!header.metadata.empty()) json["__metadata__"] = header.metadata;
  for (const SafetensorsEntry& entry : header.entries) {
    if (entry.name == "__metadata__" || json.contains(entry.name)) {
      ThrowInternal(StrCat("tensor name \"", entry.name, "\" is reserved or given twice"));
    }
    json[entry.name] = {{"dtype", kSafetensorsDtypes[entry.dtype].name},
                        {"shape", entry.shape},
                        {"data_offsets", {entry.begin, entry.end}}};
  }
  std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

}  // namespace nas::detail
