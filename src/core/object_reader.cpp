// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "json_pointer.h"
#include "nas/core/error.h"
#include "nas/core/json.h"
#include "nas/core/text.h"

namespace nas {

namespace {

// A value as a message shows it: short, on one line.
std::string Show(const Json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "an array";
  constexpr std::size_t kLongest = 60;
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > kLongest) {
    std::size_t end = kLongest;
    while (end > 0 && (text[end] & 0xC0) == 0x80) --end;  // never inside a UTF-8 character
    text = text.substr(0, end) + "…";
  }
  return text;
}

// JSON does not tell 3 from 3.0; nor do we.
bool ReadWhole(const Json& value, std::int64_t* whole) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<std::uint64_t>();
    if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return false;
    *whole = static_cast<std::int64_t>(number);
    return true;
  }
  if (value.is_number_integer()) {
    *whole = value.get<std::int64_t>();
    return true;
  }
  if (!value.is_number_float()) return false;
  const double number = value.get<double>();
  if (number != std::floor(number) || std::abs(number) > 0x1p53) return false;
  *whole = static_cast<std::int64_t>(number);
  return true;
}

}  // namespace

ObjectReader::ObjectReader(const JsonDocument& document, std::string pointer)
    : document_(document), pointer_(std::move(pointer)), object_(nullptr) {
  const Json::json_pointer path(pointer_);
  if (!document_.root().contains(path)) {
    ThrowInput(StrCat(document_.Where(pointer_), ": there is no such value; add an object"));
  }
  object_ = &document_.root().at(path);
  if (!object_->is_object()) {
    ThrowInput(StrCat(document_.Where(pointer_), ": expected an object, found ", Show(*object_)));
  }
}

const Json* ObjectReader::Find(const std::string& key) const {
  known_.insert(key);
  const auto found = object_->find(key);
  return found == object_->end() ? nullptr : &*found;
}

const Json& ObjectReader::Need(const std::string& key, const char* expected) const {
  if (const Json* value = Find(key)) return *value;
  // A misspelt key would else be reported as absent first, far from where it stands.
  std::vector<std::string> unread;
  for (const std::string& present : Keys()) {
    if (known_.count(present) == 0) unread.push_back(present);
  }
  const std::string near = NearestName(key, unread);
  if (!near.empty()) {
    ThrowInput(StrCat(document_.WhereKey(detail::PointerTo(pointer_, near)), ": found \"", near, "\" but no \"", key,
                      "\"; did you mean \"", key, "\"?"));
  }
  ThrowInput(StrCat(Where(), ": the key \"", key, "\" is missing; add it with ", expected));
}

bool ObjectReader::Has(const std::string& key) const {
  const Json* value = Find(key);
  return value != nullptr && !value->is_null();
}

bool ObjectReader::IsNull(const std::string& key) const {
  const Json* value = Find(key);
  return value != nullptr && value->is_null();
}

std::string ObjectReader::String(const std::string& key) {
  const Json& value = Need(key, "a string");
  if (!value.is_string()) Fail(key, StrCat("expected a string, found ", Show(value)));
  return value.get<std::string>();
}

std::string ObjectReader::String(const std::string& key, const std::string& fallback) {
  return Has(key) ? String(key) : fallback;
}

std::string ObjectReader::Choice(const std::string& key, const std::vector<std::string>& choices) {
  const std::string expected = StrCat("one of ", Join(choices, ", "));
  const Json& value = Need(key, expected.c_str());
  if (!value.is_string()) Fail(key, StrCat("expected ", expected, "; found ", Show(value)));
  const auto word = value.get<std::string>();
  if (std::find(choices.begin(), choices.end(), word) == choices.end()) {
    const bool near = !NearestName(word, choices).empty();
    Fail(key, StrCat("unknown value ", Show(value), near ? StrCat("; known: ", Join(choices, ", ")) : "",
                     DidYouMean(word, choices)));
  }
  return word;
}

double ObjectReader::Number(const std::string& key) {
  const Json& value = Need(key, "a number");
  if (!value.is_number()) Fail(key, StrCat("expected a number, found ", Show(value)));
  return value.get<double>();
}

double ObjectReader::Number(const std::string& key, double fallback) { return Has(key) ? Number(key) : fallback; }

std::int64_t ObjectReader::Int(const std::string& key, std::int64_t low, std::int64_t high) {
  const Json& value = Need(key, "a whole number");
  const std::string range =
      low == std::numeric_limits<std::int64_t>::min() && high == std::numeric_limits<std::int64_t>::max() ? ""
      : high == std::numeric_limits<std::int64_t>::max() ? StrCat(" of at least ", low)
                                                         : StrCat(" from ", low, " to ", high);
  std::int64_t whole = 0;
  if (!ReadWhole(value, &whole)) Fail(key, StrCat("expected a whole number", range, ", found ", Show(value)));
  if (whole < low || whole > high) Fail(key, StrCat(whole, " is out of range; write a whole number", range));
  return whole;
}

std::int64_t ObjectReader::Int(const std::string& key, std::int64_t low, std::int64_t high, std::int64_t fallback) {
  return Has(key) ? Int(key, low, high) : fallback;
}

bool ObjectReader::Bool(const std::string& key) {
  const Json& value = Need(key, "true or false");
  if (!value.is_boolean()) Fail(key, StrCat("expected true or false, found ", Show(value)));
  return value.get<bool>();
}

bool ObjectReader::Bool(const std::string& key, bool fallback) { return Has(key) ? Bool(key) : fallback; }

std::vector<double> ObjectReader::Numbers(const std::string& key) {
  const Json& array = Need(key, "an array of numbers");
  if (!array.is_array()) Fail(key, StrCat("expected an array of numbers, found ", Show(array)));
  std::vector<double> numbers;
  numbers.reserve(array.size());
  for (std::size_t i = 0; i < array.size(); ++i) {
    if (!array[i].is_number()) FailElement(key, i, StrCat("expected a number, found ", Show(array[i])));
    numbers.push_back(array[i].get<double>());
  }
  return numbers;
}

std::vector<std::int64_t> ObjectReader::Ints(const std::string& key) {
  const Json& array = Need(key, "an array of whole numbers");
  if (!array.is_array()) Fail(key, StrCat("expected an array of whole numbers, found ", Show(array)));
  std::vector<std::int64_t> numbers(array.size());
  for (std::size_t i = 0; i < array.size(); ++i) {
    if (!ReadWhole(array[i], &numbers[i])) {
      FailElement(key, i, StrCat("expected a whole number, found ", Show(array[i])));
    }
  }
  return numbers;
}

std::vector<std::string> ObjectReader::Strings(const std::string& key) {
  const Json& array = Need(key, "an array of strings");
  if (!array.is_array()) Fail(key, StrCat("expected an array of strings, found ", Show(array)));
  std::vector<std::string> strings;
  strings.reserve(array.size());
  for (std::size_t i = 0; i < array.size(); ++i) {
    if (!array[i].is_string()) FailElement(key, i, StrCat("expected a string, found ", Show(array[i])));
    strings.push_back(array[i].get<std::string>());
  }
  return strings;
}

const Json& ObjectReader::Raw(const std::string& key) { return Need(key, "a value"); }

ObjectReader ObjectReader::Object(const std::string& key) {
  Need(key, "an object");
  return ObjectReader(document_, detail::PointerTo(pointer_, key));
}

std::vector<ObjectReader> ObjectReader::Objects(const std::string& key) {
  const Json& array = Need(key, "an array of objects");
  if (!array.is_array()) Fail(key, StrCat("expected an array of objects, found ", Show(array)));
  const std::string pointer = detail::PointerTo(pointer_, key);
  std::vector<ObjectReader> readers;
  readers.reserve(array.size());
  for (std::size_t i = 0; i < array.size(); ++i) {
    readers.emplace_back(document_, detail::PointerTo(pointer, std::to_string(i)));
  }
  return readers;
}

void ObjectReader::Ignore(const std::string& key) { known_.insert(key); }

std::vector<std::string> ObjectReader::Keys() const {
  std::vector<std::string> keys;
  keys.reserve(object_->size());
  for (const auto& member : object_->items()) keys.push_back(member.key());
  return keys;
}

void ObjectReader::Finish() const {
  for (const std::string& key : Keys()) {
    if (known_.count(key) > 0) continue;
    const std::vector<std::string> names(known_.begin(), known_.end());
    ThrowInput(StrCat(document_.WhereKey(detail::PointerTo(pointer_, key)), ": unknown key \"", key, '"',
                      DidYouMean(key, names)));
  }
}

void ObjectReader::Fail(const std::string& key, const std::string& message) const {
  ThrowInput(StrCat(Where(key), ": ", message));
}

void ObjectReader::FailElement(const std::string& key, std::size_t index, const std::string& message) const {
  const std::string element = detail::PointerTo(detail::PointerTo(pointer_, key), std::to_string(index));
  ThrowInput(StrCat(document_.Where(element), ": ", message));
}

std::string ObjectReader::Where(const std::string& key) const {
  return document_.Where(key.empty() ? pointer_ : detail::PointerTo(pointer_, key));
}

}  // namespace nas
