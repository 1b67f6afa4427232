// SPDX-License-Identifier: Apache-2.0
#include "nas/data/check.h"

#include <nlohmann/json.hpp>

#include "image_files.h"
#include "nas/core/files.h"
#include "support/catch_compat.h"

namespace nas {
namespace {

TEST_CASE("a data report tells counts, sizes, odd and bad files", "[check]") {
  const TempDir folder;
  test::WriteClass(folder.path(), "train", "a", 4, 20);
  test::WriteClass(folder.path(), "train", "b", 3, 30);
  test::WriteClass(folder.path(), "test", "a", 1, 20);
  test::WriteClass(folder.path(), "test", "b", 2, 20);
  test::Write(folder.path() / "train/a/liar.jpeg", test::EncodePng(test::NoisePicture(40, 20, 1)));
  test::Write(folder.path() / "train/b/none.jpg", "");
  const DataReport report = CheckData(folder.path().string(), 2);
  REQUIRE(report.classes.size() == 2);
  CHECK(report.classes[0].name == "a");
  CHECK(report.classes[0].train == 5);
  CHECK(report.classes[1].train == 3);
  CHECK(report.classes[1].test == 2);
  CHECK(report.train_images == 8);
  CHECK(report.test_images == 3);
  CHECK_FALSE(report.test_carved);
  CHECK(report.files_examined == 12);
  CHECK(report.bad_by_kind == std::map<std::string, std::int64_t>{{"empty", 1}});
  CHECK(report.converted_by_kind == std::map<std::string, std::int64_t>{{"PNG named .JPEG", 1}});
  REQUIRE(report.bad_files.size() == 1);
  CHECK(report.bad_files[0].path == "train/b/none.jpg");
  CHECK(report.smallest_side == 20);
  CHECK(report.largest_side == 40);
  CHECK(report.native_side == 20);
  CHECK(report.small_images);
  CHECK(report.decoded_bytes == 3 * (7 * 20 * 20 + 3 * 30 * 30 + 40 * 20));
  REQUIRE(report.problems.size() == 1);  // one of twelve is more than 1 %
  CHECK(test::Contains(report.problems[0], "more than 1 %"));
  CHECK_FALSE(report.ok());
  const Json json = ToJson(report);
  CHECK(json["ok"] == false);
  CHECK(json["bad"]["empty"] == 1);
  CHECK(json["bad_files"][0]["kind"] == "empty");
  CHECK(json["classes"][1]["test"] == 2);
}

TEST_CASE("a report lists what opening would refuse instead of throwing", "[check]") {
  const TempDir folder;
  test::WriteClass(folder.path(), "", "a", 10);
  test::WriteClass(folder.path(), "", "b", 10);
  CHECK(CheckData(folder.path().string(), 1).ok());
  CHECK(CheckData(folder.path().string(), 1).test_carved);
  std::filesystem::create_directories(folder.path() / "c");
  const DataReport report = CheckData(folder.path().string(), 1);
  REQUIRE_FALSE(report.ok());
  CHECK(test::Contains(report.problems[0], "has no JPEG or PNG image"));
  CHECK_THROWS_AS(CheckData("/nowhere", 1), Error);
}

TEST_CASE("sets held in memory are reported, too", "[check]") {
  const DataReport report = CheckData("demo", 2);
  CHECK(report.ok());
  CHECK(report.train_images == 4000);
  CHECK(report.test_images == 1000);
  CHECK(report.decoded_bytes == 5000 * 3072);
  CHECK(report.classes.size() == 10);
}

}  // namespace
}  // namespace nas
