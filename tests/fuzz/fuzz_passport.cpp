// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>
#include <string>

#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/export/passport.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  try {
    const std::string text(reinterpret_cast<const char*>(bytes), size);
    const nas::Passport passport = nas::PassportFromJson(nas::JsonDocument::Parse(text, "fuzz"));
    const std::string written = nas::ToJson(passport).dump();
    const nas::Passport again = nas::PassportFromJson(nas::JsonDocument::Parse(written, "again"));
    if (nas::ToJson(again).dump() != written) std::abort();
    nas::CheckPassport(passport, "/nonexistent");
  } catch (const nas::Error& error) {
    if (error.kind() != nas::ErrorKind::kInput) std::abort();
  }
  return 0;
}
