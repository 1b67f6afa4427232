// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "nas/core/json.h"

namespace nas::detail {

/// Looks into files that a crash may have damaged: what is not there, or of another type, is simply absent.
inline const Json* Look(const Json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto it = object.find(key);
  return it == object.end() ? nullptr : &*it;
}

inline std::optional<double> LookNumber(const Json& object, const char* key) {
  const Json* value = Look(object, key);
  return value != nullptr && value->is_number() ? std::optional(value->get<double>()) : std::nullopt;
}

inline double LookNumber(const Json& object, const char* key, double fallback) {
  return LookNumber(object, key).value_or(fallback);
}

inline int LookInt(const Json& object, const char* key, int fallback = 0) {
  return static_cast<int>(LookNumber(object, key, fallback));
}

inline std::string LookText(const Json& object, const char* key) {
  const Json* value = Look(object, key);
  return value != nullptr && value->is_string() ? value->get<std::string>() : "";
}

/// An object, or an empty one.
inline const Json& LookObject(const Json& object, const char* key) {
  static const Json empty = Json::object();
  const Json* value = Look(object, key);
  return value != nullptr && value->is_object() ? *value : empty;
}

inline const Json& LookArray(const Json& object, const char* key) {
  static const Json empty = Json::array();
  const Json* value = Look(object, key);
  return value != nullptr && value->is_array() ? *value : empty;
}

}  // namespace nas::detail
