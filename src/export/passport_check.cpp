// SPDX-License-Identifier: Apache-2.0
#include <system_error>

#include "nas/core/error.h"
#include "nas/core/hash.h"
#include "nas/core/text.h"
#include "nas/export/passport.h"

namespace nas {
namespace {

namespace fs = std::filesystem;
using Status = PassportCheck::Status;

PassportCheck CompareCount(const char* what, std::int64_t counted, std::int64_t stated) {
  if (counted == stated) return {what, Status::kHolds, StrCat(counted, ", counted again")};
  return {what, Status::kDiffers, StrCat(counted, " counted, ", stated, " stated")};
}

PassportCheck CheckFile(const PassportFile& file, const fs::path& path, bool has_to_be_there) {
  const std::string what = StrCat(file.role, " ", file.path);
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) {
    return {what, has_to_be_there ? Status::kDiffers : Status::kUnchecked,
            has_to_be_there ? "the file is missing" : "the file is not here"};
  }
  const std::string hash = HashFile(path);
  if (hash == file.hash) return {what, Status::kHolds, StrCat("unchanged, XXH3-128 ", hash)};
  return {what, Status::kDiffers, StrCat("changed: XXH3-128 ", hash, ", not ", file.hash)};
}

}  // namespace

std::string_view ToString(PassportCheck::Status status) {
  switch (status) {
    case Status::kHolds:
      return "holds";
    case Status::kDiffers:
      return "DIFFERS";
    case Status::kUnchecked:
      return "unchecked";
  }
  ThrowInternal("a status without a word");
}

std::vector<PassportCheck> CheckPassport(const Passport& passport, const fs::path& folder) {
  std::vector<PassportCheck> checks;
  checks.push_back(CompareCount("params", CountParams(passport.architecture), passport.params));
  checks.push_back(CompareCount("MACs", CountMacs(passport.architecture).value, passport.macs));
  for (const PassportFile& file : passport.exported) checks.push_back(CheckFile(file, folder / file.path, true));
  for (const PassportFile& file : passport.sources) checks.push_back(CheckFile(file, file.path, false));
  return checks;
}

fs::path PassportWeights(const Passport& passport, const fs::path& folder) {
  const auto unchanged = [](const PassportFile& file, const fs::path& path) {
    std::error_code ignored;
    return fs::is_regular_file(path, ignored) && HashFile(path) == file.hash;
  };
  for (const PassportFile& file : passport.exported) {
    if (file.role == "safetensors" && unchanged(file, folder / file.path)) return folder / file.path;
  }
  for (const PassportFile& file : passport.sources) {
    if (file.role == "weights" && unchanged(file, file.path)) return file.path;
  }
  return {};
}

}  // namespace nas
