// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include "image_files.h"
#include "nas/core/files.h"
#include "nas/core/text.h"
#include "nas/data/loader.h"
#include "nas/data/pack.h"
#include "support/torch_test.h"

namespace nas {
namespace {

namespace fs = std::filesystem;

std::shared_ptr<const Dataset> OpenTrain(const fs::path& place) {
  DataOptions options;
  options.spec = place.string();
  options.decoded_limit_bytes = 0;
  return OpenData(options).train;
}

TEST_CASE("the loader's shuffled batches from a pack equal those from its folder, for any number of threads",
          "[loader][pack]") {
  const TempDir folder;
  const fs::path source = folder.path() / "photos", packed = folder.path() / "packed";
  for (const char* name : {"ant", "bee"}) {
    test::WriteClass(source, "train", name, 20, 80);
    test::WriteClass(source, "test", name, 2, 80);
  }
  PackOptions pack;
  pack.source = source.string();
  pack.out = packed.string();
  pack.shard_bytes = 10000;
  REQUIRE(PackData(pack).shards > 3);

  LoaderOptions options;
  options.batch = 7;
  options.resolution = 48;
  options.augmentation = Augmentation::kTrain;
  options.shuffle = true;
  options.seed = 11;
  options.threads = 0;
  Loader from_folder(OpenTrain(source), options);
  options.threads = GENERATE(0, 3);
  Loader from_pack(Subset(OpenTrain(packed),
                          [] {
                            std::vector<std::int64_t> all(40);
                            for (std::int64_t i = 0; i < 40; ++i) all[i] = i;
                            return all;
                          }()),
                   options);
  for (const std::int64_t epoch : {0, 1}) {
    from_folder.Seek(epoch, 0);
    from_pack.Seek(epoch, 0);
    Batch a, b;
    int batches = 0;
    while (from_folder.Next(&a)) {
      REQUIRE(from_pack.Next(&b));
      CHECK(at::equal(a.images, b.images));
      CHECK(at::equal(a.labels, b.labels));
      ++batches;
    }
    CHECK(batches == 6);
    CHECK_FALSE(from_pack.Next(&b));
  }

  // Damage that appears while a run is at work is named by the call that meets it.
  for (int i = 0; i < 4; ++i) {
    const fs::path shard = packed / StrCat("shard-0000", i, ".bin");
    test::Write(shard, std::string(fs::file_size(shard), 'x'));
  }
  from_pack.Seek(5, 0);
  Batch batch;
  const Error error = test::ErrorOf([&] { from_pack.Next(&batch); });
  CHECK(error.kind() == ErrorKind::kInput);
  CHECK(test::Contains(error.what(), "the checksum of train/"));
}

}  // namespace
}  // namespace nas
