// SPDX-License-Identifier: Apache-2.0
#include "data/image_folder.h"

#include <algorithm>
#include <map>
#include <set>

#include "image_files.h"
#include "nas/core/files.h"
#include "nas/core/text.h"
#include "nas/data/dataset.h"
#include "support/catch_compat.h"

namespace nas {
namespace {

namespace fs = std::filesystem;
using test::Contains;
using test::WriteClass;

constexpr std::int64_t kNothingKept = 0;

DataOptions OptionsFor(const fs::path& folder) {
  DataOptions options;
  options.spec = folder.string();
  options.threads = 2;
  return options;
}

std::string MessageOf(const DataOptions& options) {
  const Error error = test::ErrorOf([&] { OpenData(options); });
  CHECK(error.kind() == ErrorKind::kInput);
  return error.what();
}

std::map<std::string, int> CountByClass(const Dataset& dataset) {
  std::map<std::string, int> counts;
  for (std::int64_t i = 0; i < dataset.size(); ++i) ++counts[dataset.class_names()[dataset.label(i)]];
  return counts;
}

std::set<std::string> Names(const Dataset& dataset) {
  std::set<std::string> names;
  for (std::int64_t i = 0; i < dataset.size(); ++i) names.insert(dataset.Describe(i));
  return names;
}

bool AnyContains(const std::vector<std::string>& texts, const std::string& part) {
  return std::any_of(texts.begin(), texts.end(), [&](const std::string& text) { return Contains(text, part); });
}

TEST_CASE("train and test folders are read, decoded now or on demand alike", "[folder]") {
  const TempDir folder;
  for (const char* name : {"dog", "cat"}) {
    WriteClass(folder.path(), "train", name, 6, 24);
    WriteClass(folder.path(), "val", name, 2, 24);
  }
  DataOptions options = OptionsFor(folder.path());
  const DataSplits kept = OpenData(options);
  options.decoded_limit_bytes = kNothingKept;
  const DataSplits lazy = OpenData(options);
  CHECK(kept.train->class_names() == std::vector<std::string>{"cat", "dog"});
  CHECK(kept.train->size() == 12);
  CHECK(kept.test->size() == 4);
  CHECK(kept.native_side == 24);
  CHECK(kept.small_images);
  CHECK(kept.notes.empty());
  CHECK(kept.listing_hash == lazy.listing_hash);
  CHECK(kept.train->Borrow(0).pixels != nullptr);
  CHECK(lazy.train->Borrow(0).pixels == nullptr);
  REQUIRE(lazy.train->size() == 12);
  for (std::int64_t i = 0; i < 12; ++i) {
    CHECK(kept.train->Get(i) == lazy.train->Get(i));
    CHECK(kept.train->label(i) == lazy.train->label(i));
    CHECK(kept.train->Describe(i) == lazy.train->Describe(i));
  }
  CHECK(kept.train->Describe(0) == (folder.path() / "train/cat/0.jpg").string());

  WriteClass(folder.path(), "train", "cat", 7, 24);
  CHECK(OpenData(OptionsFor(folder.path())).listing_hash != kept.listing_hash);
}

TEST_CASE("class folders alone: a fifth of each class is set aside", "[folder]") {
  const TempDir folder;
  WriteClass(folder.path(), "", "a", 10, 70);
  WriteClass(folder.path(), "", "b", 15, 70);
  WriteClass(folder.path(), "", "c", 2, 70);
  DataOptions options = OptionsFor(folder.path());
  const DataSplits splits = OpenData(options);
  CHECK(CountByClass(*splits.test) == std::map<std::string, int>{{"a", 2}, {"b", 3}, {"c", 1}});
  CHECK(CountByClass(*splits.train) == std::map<std::string, int>{{"a", 8}, {"b", 12}, {"c", 1}});
  CHECK_FALSE(splits.small_images);
  CHECK(AnyContains(splits.notes, "no test folder: 6 of 27 images"));
  std::set<std::string> all = Names(*splits.train);
  for (const auto& name : Names(*splits.test)) CHECK(all.insert(name).second);
  CHECK(all.size() == 27);
  CHECK(Names(*OpenData(options).test) == Names(*splits.test));
  options.seed = 1;
  CHECK(Names(*OpenData(options).test) != Names(*splits.test));

  WriteClass(folder.path(), "", "lonely", 1, 70);
  CHECK(Contains(MessageOf(options), "class 'lonely' has 1 image"));
}

TEST_CASE("the limit takes training images by the seed and leaves the test whole", "[folder]") {
  const TempDir folder;
  for (const char* name : {"x", "y"}) {
    WriteClass(folder.path(), "train", name, 12);
    WriteClass(folder.path(), "test", name, 5);
  }
  DataOptions options = OptionsFor(folder.path());
  options.limit_per_class = 4;
  for (const std::int64_t keep : {kNothingKept, std::int64_t{1} << 30}) {
    options.decoded_limit_bytes = keep;
    options.seed = 0;
    const DataSplits splits = OpenData(options);
    CHECK(CountByClass(*splits.train) == std::map<std::string, int>{{"x", 4}, {"y", 4}});
    CHECK(splits.test->size() == 10);
    CHECK(Names(*OpenData(options).train) == Names(*splits.train));
    options.seed = 5;
    CHECK(Names(*OpenData(options).train) != Names(*splits.train));
  }
  options.limit_per_class = 100;
  CHECK(OpenData(options).train->size() == 24);
}

TEST_CASE("odd images are converted, counted and named once", "[folder]") {
  const TempDir folder;
  WriteClass(folder.path(), "train", "a", 10);
  WriteClass(folder.path(), "train", "b", 10);
  WriteClass(folder.path(), "test", "a", 2);
  WriteClass(folder.path(), "test", "b", 2);
  const Image picture = test::SmoothPicture(16, 16, 1);
  const fs::path a = folder.path() / "train/a";
  test::Write(a / "ink.jpg", test::EncodeJpeg(picture, {.colour = test::JpegColour::kAdobeCmyk}));
  test::Write(a / "deep.png", test::EncodePng(picture, test::PngColour::kRgb16));
  test::Write(a / "grey.png", test::EncodePng(picture, test::PngColour::kGreyAlpha));
  test::Write(a / "few.png", test::EncodePng(picture, test::PngColour::kPalette));
  test::Write(a / "liar.JPEG", test::EncodePng(picture));
  for (const std::int64_t keep : {kNothingKept, std::int64_t{1} << 30}) {
    DataOptions options = OptionsFor(folder.path());
    options.decoded_limit_bytes = keep;
    const DataSplits splits = OpenData(options);
    CHECK(CountByClass(*splits.train) == std::map<std::string, int>{{"a", 15}, {"b", 10}});
    CHECK(AnyContains(splits.notes, "1 CMYK image (train/a/ink.jpg)"));
    CHECK(AnyContains(splits.notes, "1 16-bit image (train/a/deep.png)"));
    CHECK(AnyContains(splits.notes, "1 grey image (train/a/grey.png)"));
    CHECK(AnyContains(splits.notes, "1 transparent image (train/a/grey.png)"));
    CHECK(AnyContains(splits.notes, "1 palette image (train/a/few.png)"));
    CHECK(AnyContains(splits.notes, "1 PNG named .JPEG image (train/a/liar.JPEG)"));
    for (std::int64_t i = 0; i < splits.train->size(); ++i) {
      const Image image = splits.train->Get(i);
      CHECK(image.pixels.size() == 16 * 16 * 3);
      if (Contains(splits.train->Describe(i), "liar")) CHECK(image == picture);
    }
  }
}

TEST_CASE("bad images up to one per cent are left out and named", "[folder]") {
  const TempDir folder;
  WriteClass(folder.path(), "train", "a", 140, 8);
  WriteClass(folder.path(), "train", "b", 140, 8);
  WriteClass(folder.path(), "test", "a", 5, 8);
  WriteClass(folder.path(), "test", "b", 5, 8);
  const std::string whole = test::EncodeJpeg(test::NoisePicture(64, 64, 1));
  test::Write(folder.path() / "train/a/cut.jpg", whole.substr(0, whole.size() / 2));
  test::Write(folder.path() / "train/b/nothing.jpg", "");
  for (const std::int64_t keep : {kNothingKept, std::int64_t{1} << 30}) {
    DataOptions options = OptionsFor(folder.path());
    options.decoded_limit_bytes = keep;
    const DataSplits splits = OpenData(options);
    CHECK(splits.train->size() == 280);
    CHECK(AnyContains(splits.notes, "left out: 1 truncated file (train/a/cut.jpg)"));
    CHECK(AnyContains(splits.notes, "left out: 1 empty file (train/b/nothing.jpg)"));
  }
  // Two of 292 are fewer than one per cent, three more are not.
  test::Write(folder.path() / "train/b/page.jpg", "<html>not found</html>");
  test::Write(folder.path() / "train/b/page2.jpg", "<html>not found</html>");
  const std::string message = MessageOf(OptionsFor(folder.path()));
  CHECK(Contains(message, "4 of 294 images in"));
  CHECK(Contains(message, "more than 1 %"));
  CHECK(Contains(message, "train/a/cut.jpg (truncated)"));
  CHECK(Contains(message, "train/b/nothing.jpg (empty)"));
  CHECK(Contains(message, ", …; replace or remove them"));
}

TEST_CASE("a limit is filled up with good images", "[folder]") {
  const TempDir folder;
  WriteClass(folder.path(), "train", "a", 200, 8);
  WriteClass(folder.path(), "train", "b", 200, 8);
  WriteClass(folder.path(), "test", "a", 30, 8);
  WriteClass(folder.path(), "test", "b", 30, 8);
  test::Write(folder.path() / "train/a/17.jpg", "");
  DataOptions options = OptionsFor(folder.path());
  options.limit_per_class = 199;
  CHECK(CountByClass(*OpenData(options).train) == std::map<std::string, int>{{"a", 199}, {"b", 199}});
}

TEST_CASE("large files are checked by header and end marker only when they are whole", "[folder]") {
  const TempDir folder;
  // Larger than what is read of a head; one is cut within, one has bytes behind its end marker.
  const std::string large = test::EncodeJpeg(test::NoisePicture(320, 320, 2));
  REQUIRE(large.size() > 100'000);
  for (int i = 0; i < 120; ++i) {
    test::Write(folder.path() / StrCat("train/", i % 2 == 0 ? "a" : "b", "/", i, ".jpg"),
                i < 4 ? large : test::EncodeJpeg(test::SmoothPicture(80, 80, i)));
  }
  WriteClass(folder.path(), "test", "a", 1, 80);
  WriteClass(folder.path(), "test", "b", 1, 80);
  test::Write(folder.path() / "train/a/0.jpg", large.substr(0, large.size() * 2 / 3));
  test::Write(folder.path() / "train/b/1.jpg", large + std::string(20'000, 'x'));
  DataOptions options = OptionsFor(folder.path());
  options.decoded_limit_bytes = kNothingKept;
  const DataSplits splits = OpenData(options);
  CHECK(splits.train->size() == 119);
  CHECK(AnyContains(splits.notes, "left out: 1 truncated file (train/a/0.jpg)"));

  fs::remove(splits.train->Describe(0));
  CHECK(test::ErrorOf([&] { splits.train->Get(0); }).kind() == ErrorKind::kInput);
  test::Write(splits.train->Describe(1), "no longer a picture");
  const Error error = test::ErrorOf([&] { splits.train->Get(1); });
  CHECK(error.kind() == ErrorKind::kInput);
  CHECK(Contains(error.what(), splits.train->Describe(1)));
}

TEST_CASE("hidden and other files are passed over, links and nested folders are followed", "[folder]") {
  const TempDir folder;
  WriteClass(folder.path(), "train", "a", 4);
  WriteClass(folder.path(), "train", "b/images", 4);
  test::Write(folder.path() / "train/a/.hidden.jpg", "");
  test::Write(folder.path() / "train/a/Thumbs.db", "x");
  test::Write(folder.path() / "train/.ipynb_checkpoints/x.txt", "x");
  test::Write(folder.path() / "train/list.txt", "x");
  const TempDir elsewhere;
  WriteClass(elsewhere.path(), "", "c", 4);
  fs::create_directory_symlink(elsewhere.path() / "c", folder.path() / "train/c");
  fs::create_symlink(folder.path() / "train/a/0.jpg", folder.path() / "train/a/again.jpg");
  for (const char* name : {"a", "b", "c"}) WriteClass(folder.path(), "valid", name, 1);
  const DataSplits splits = OpenData(OptionsFor(folder.path()));
  CHECK(CountByClass(*splits.train) == std::map<std::string, int>{{"a", 5}, {"b", 4}, {"c", 4}});
}

TEST_CASE("of several test folders 'test' is used, and a class named train is a class", "[folder]") {
  const TempDir folder;
  for (const char* name : {"a", "b"}) {
    WriteClass(folder.path(), "train", name, 3);
    WriteClass(folder.path(), "val", name, 2);
    WriteClass(folder.path(), "test", name, 1);
  }
  const DataSplits splits = OpenData(OptionsFor(folder.path()));
  CHECK(splits.test->size() == 2);
  CHECK(AnyContains(splits.notes, "the test set is test/; val/ is not used"));

  const TempDir vehicles;
  WriteClass(vehicles.path(), "", "train", 5);
  WriteClass(vehicles.path(), "", "bus", 5);
  CHECK(OpenData(OptionsFor(vehicles.path())).train->class_names() == std::vector<std::string>{"bus", "train"});
}

TEST_CASE("what cannot be a data set is refused with what to do", "[folder]") {
  DataOptions options;
  options.spec = "/nowhere/at/all";
  CHECK(MessageOf(options) == "no folder /nowhere/at/all; give a folder of class folders, cifar10:DIR or demo");
  options.spec = "";
  CHECK(Contains(MessageOf(options), "cifar10:DIR or demo"));

  const TempDir folder;
  options = OptionsFor(folder.path());
  CHECK(Contains(MessageOf(options), "has no class folder"));
  test::Write(folder.path() / "archive.tar", "x");
  CHECK(Contains(MessageOf(options), "has no class folder"));
  options.spec = (folder.path() / "archive.tar").string();
  CHECK(Contains(MessageOf(options), "not a folder"));

  options = OptionsFor(folder.path());
  WriteClass(folder.path(), "val", "a", 1);
  WriteClass(folder.path(), "val", "b", 1);
  CHECK(Contains(MessageOf(options), "no train/ with one folder per class"));
  WriteClass(folder.path(), "train", "a", 3);
  CHECK(Contains(MessageOf(options), "one class folder only ('a')"));
  fs::create_directories(folder.path() / "train/b");
  CHECK(Contains(MessageOf(options), "class folder " + (folder.path() / "train/b").string() + " has no JPEG or PNG"));
  test::Write(folder.path() / "train/b/x.webp", "x");
  CHECK(Contains(MessageOf(options), "it holds 1 other files, such as x.webp"));
  WriteClass(folder.path(), "train", "b", 3);
  WriteClass(folder.path(), "val", "c", 3);
  CHECK(Contains(MessageOf(options), "has no counterpart in train/"));
  fs::remove_all(folder.path() / "val/c");
  CHECK_NOTHROW(OpenData(options));
  options.limit_per_class = -1;
  CHECK(test::ErrorOf([&] { OpenData(options); }).kind() == ErrorKind::kUsage);
}

TEST_CASE("a class whose images are all damaged is named", "[folder]") {
  const TempDir folder;
  WriteClass(folder.path(), "train", "a", 300, 8);
  WriteClass(folder.path(), "test", "a", 1, 8);
  test::Write(folder.path() / "train/b/0.jpg", "");
  WriteClass(folder.path(), "test", "b", 1, 8);
  const std::string message = MessageOf(OptionsFor(folder.path()));
  CHECK(Contains(message, "class 'b'"));
  CHECK(Contains(message, "no usable image for training"));
}

}  // namespace
}  // namespace nas
