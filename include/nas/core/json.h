// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace nas {

/// JSON that keeps the order of keys, so that files and output read as they were written.
using Json = nlohmann::ordered_json;

/// A parsed file that can say where each value stands. Comments (`//`, `/* */`) are allowed. Copies share the content.
class JsonDocument {
 public:
  /// Throws kInput `file:line:column: …` when the text is not JSON, is cut off, repeats a key, holds a number beyond
  /// the range of double, or nests deeper than 200.
  static JsonDocument Parse(std::string text, std::string source_name);
  /// Throws kInput when the file cannot be read, and like `Parse`.
  static JsonDocument Load(const std::string& path);

  const Json& root() const;
  const std::string& source() const;
  /// `file:line:column (/json/path)` of the value at a JSON pointer; where there is none, of the nearest value around
  /// it.
  std::string Where(const std::string& pointer) const;
  /// The same, but of the key that introduces the value.
  std::string WhereKey(const std::string& pointer) const;

 private:
  struct Content;
  explicit JsonDocument(std::shared_ptr<const Content> content);
  std::shared_ptr<const Content> content_;
};

/// Strict reading of one JSON object: every key is asked for once; `Finish` refuses what nobody asked for.
/// All errors are kInput and name file, line, JSON path, value and the legal choices.
class ObjectReader {
 public:
  explicit ObjectReader(const JsonDocument& document, std::string pointer = "");

  bool Has(const std::string& key) const;     ///< present and not null; the key counts as known
  bool IsNull(const std::string& key) const;  ///< present and null; the key counts as known
  // Readers with a fallback use it for absent keys and for null.
  std::string String(const std::string& key);
  std::string String(const std::string& key, const std::string& fallback);
  std::string Choice(const std::string& key, const std::vector<std::string>& choices);
  double Number(const std::string& key);
  double Number(const std::string& key, double fallback);
  std::int64_t Int(const std::string& key, std::int64_t low, std::int64_t high);
  std::int64_t Int(const std::string& key, std::int64_t low, std::int64_t high, std::int64_t fallback);
  bool Bool(const std::string& key);
  bool Bool(const std::string& key, bool fallback);
  std::vector<double> Numbers(const std::string& key);
  std::vector<std::int64_t> Ints(const std::string& key);
  std::vector<std::string> Strings(const std::string& key);
  /// The raw value; it counts as read.
  const Json& Raw(const std::string& key);
  ObjectReader Object(const std::string& key);
  /// Readers of an array of objects.
  std::vector<ObjectReader> Objects(const std::string& key);
  /// Marks a key as known without reading it.
  void Ignore(const std::string& key);
  std::vector<std::string> Keys() const;

  /// Throws on keys that were never asked for, with the nearest known name.
  void Finish() const;
  /// Throws kInput `where: message`, for a semantic fault of one key ("" = the object itself).
  [[noreturn]] void Fail(const std::string& key, const std::string& message) const;
  std::string Where(const std::string& key = "") const;
  const JsonDocument& document() const { return document_; }

 private:
  const Json* Find(const std::string& key) const;
  const Json& Need(const std::string& key, const char* expected) const;
  [[noreturn]] void FailElement(const std::string& key, std::size_t index, const std::string& message) const;

  JsonDocument document_;
  std::string pointer_;
  const Json* object_;                   // inside document_, which keeps it alive
  mutable std::set<std::string> known_;  // every key that was asked for, also by the const questions
};

/// Keys sorted at every depth, no blanks, shortest round-trip numbers, whole numbers without a point: equal values give
/// equal bytes (also 5 and 5.0). For hashes.
std::string CanonicalDump(const Json& value);
/// Two-space indented text, arrays and objects of scalars up to 100 characters on one line, newline at the end. For
/// files people read.
std::string PrettyDump(const Json& value);

}  // namespace nas
