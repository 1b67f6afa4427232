// SPDX-License-Identifier: Apache-2.0
#include "nas/core/hash.h"

#include "core/expect_error.h"
#include "nas/core/files.h"
#include "support/catch_compat.h"

namespace nas {
namespace {

TEST_CASE("hashes are XXH3-128 as other tools print it") {
  CHECK(Hash128Hex("") == "99aa06d3014798d86001c324468d497f");
  CHECK(Hash128Hex("abc") == "06b05ab6733a618578af5f94892f3950");
  CHECK(Hash128Hex("abd") != Hash128Hex("abc"));
}

TEST_CASE("a file hashes as its content, also beyond one piece") {
  const TempDir folder;
  for (const std::size_t size : {std::size_t{0}, std::size_t{5}, (std::size_t{1} << 20) + 7}) {
    std::string content(size, 'x');
    if (size > 2) content[size / 2] = '\0';
    WriteFileAtomic(folder.path() / "f", content);
    CHECK(HashFile(folder.path() / "f") == Hash128Hex(content));
  }
  CHECK(testing::MessageOf(ErrorKind::kInput, [&] { HashFile("/nowhere/f"); }) ==
        "cannot read /nowhere/f: No such file or directory; check the path");
  CHECK(testing::MessageOf(ErrorKind::kInput, [&] { HashFile(folder.path()); }).find("not a folder") !=
        std::string::npos);
}

}  // namespace
}  // namespace nas
