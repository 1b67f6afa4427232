// SPDX-License-Identifier: Apache-2.0
#include "image_folder.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "cached_dataset.h"
#include "class_split.h"
#include "file_dataset.h"
#include "image_examiner.h"
#include "nas/core/error.h"
#include "nas/core/rng.h"
#include "nas/core/text.h"
#include "seed_streams.h"

namespace nas::detail {
namespace {

constexpr double kTestShare = 0.2;
constexpr std::size_t kSampledHeaders = 64;

std::vector<std::vector<std::int64_t>> PositionsByClass(const std::vector<ListedFile>& files, std::size_t classes) {
  std::vector<std::vector<std::int64_t>> positions(classes);
  for (std::size_t i = 0; i < files.size(); ++i) positions[files[i].label].push_back(static_cast<std::int64_t>(i));
  return positions;
}

/// Files of one split that were looked at and are good, with what is needed to make a data set of them.
struct Usable {
  std::vector<ListedFile> files;
  std::vector<ExaminedFile> examined;
  std::vector<std::vector<std::uint8_t>> blocks;
};

/// Looks at `files` and adds the good ones. False when the pixels exceed the limit.
bool Examine(const FolderListing& listing, const std::vector<ListedFile>& files, ExamineDepth depth,
             std::int64_t* bytes_left, int threads, Findings* findings, Usable* usable) {
  Examination examination = ExamineFiles(*listing.store, files, depth, *bytes_left, threads);
  if (examination.over_limit) return false;
  for (std::size_t i = 0; i < files.size(); ++i) {
    findings->Add(files[i], examination.files[i]);
    if (!examination.files[i].usable) continue;
    usable->files.push_back(files[i]);
    usable->examined.push_back(examination.files[i]);
  }
  for (auto& block : examination.blocks) {
    *bytes_left -= static_cast<std::int64_t>(block.size());
    usable->blocks.push_back(std::move(block));
  }
  return true;
}

/// Training files in the order in which a limit takes them: all of them without one.
class LimitedChoice {
 public:
  LimitedChoice(const FolderListing& listing, std::int64_t limit, std::uint64_t seed)
      : files_(listing.train), limit_(limit), orders_(PositionsByClass(listing.train, listing.classes.size())) {
    if (limit_ == 0) return;
    for (std::size_t c = 0; c < orders_.size(); ++c) {
      CounterRng rng(MixSeed(seed, kLimitSalt), c);
      std::vector<std::int64_t> shuffled;
      for (const auto i : rng.Permutation(static_cast<std::int64_t>(orders_[c].size()))) {
        shuffled.push_back(orders_[c][i]);
      }
      orders_[c] = std::move(shuffled);
    }
    taken_.resize(orders_.size());
  }

  /// The next files, so many that no class has more than the limit; empty once nothing is missing or left.
  std::vector<ListedFile> Next(const std::vector<ListedFile>& usable) {
    if (limit_ == 0) return std::exchange(first_, false) ? files_ : std::vector<ListedFile>();
    std::vector<std::int64_t> have(orders_.size());
    for (const ListedFile& file : usable) ++have[file.label];
    std::vector<std::int64_t> chosen;
    for (std::size_t c = 0; c < orders_.size(); ++c) {
      for (; have[c] < limit_ && taken_[c] < orders_[c].size(); ++have[c]) chosen.push_back(orders_[c][taken_[c]++]);
    }
    std::sort(chosen.begin(), chosen.end());
    std::vector<ListedFile> next;
    for (const auto i : chosen) next.push_back(files_[i]);
    return next;
  }

 private:
  const std::vector<ListedFile>& files_;
  std::int64_t limit_;
  std::vector<std::vector<std::int64_t>> orders_;
  std::vector<std::size_t> taken_;
  bool first_ = true;
};

/// Decoded size of the set, from a few headers.
double EstimateDecodedBytes(const FolderListing& listing, std::int64_t limit_per_class) {
  std::vector<ListedFile> sample;
  const std::size_t step = std::max<std::size_t>(listing.train.size() / kSampledHeaders, 1);
  for (std::size_t i = 0; i < listing.train.size(); i += step) sample.push_back(listing.train[i]);
  const Examination examination = ExamineFiles(*listing.store, sample, ExamineDepth::kHeader, 0, 1);
  double bytes = 0;
  double good = 0;
  for (const ExaminedFile& file : examination.files) {
    if (!file.usable) continue;
    bytes += 3.0 * file.info.width * file.info.height;
    ++good;
  }
  if (good == 0) return 0;
  double train = 0;
  for (const auto& positions : PositionsByClass(listing.train, listing.classes.size())) {
    const auto size = static_cast<std::int64_t>(positions.size());
    train += static_cast<double>(limit_per_class > 0 ? std::min(size, limit_per_class) : size);
  }
  return bytes / good * (train + static_cast<double>(listing.test.size()));
}

struct Examined {
  Usable train;
  Usable test;
  Findings findings;
  bool kept = false;
};

/// False when the pixels do not fit into the limit after all.
bool ExamineAll(const FolderListing& listing, const DataOptions& options, ExamineDepth depth, Examined* out) {
  std::int64_t bytes_left = options.decoded_limit_bytes;
  out->kept = depth == ExamineDepth::kKeep;
  LimitedChoice choice(listing, options.limit_per_class, options.seed);
  for (auto next = choice.Next({}); !next.empty(); next = choice.Next(out->train.files)) {
    if (!Examine(listing, next, depth, &bytes_left, options.threads, &out->findings, &out->train)) return false;
  }
  return Examine(listing, listing.test, depth, &bytes_left, options.threads, &out->findings, &out->test);
}

void RequireEachClass(const FolderListing& listing, const Usable& usable, const std::vector<ListedFile>& listed,
                      const char* split) {
  std::vector<std::int64_t> good(listing.classes.size());
  for (const ListedFile& file : usable.files) ++good[file.label];
  for (const ListedFile& file : listed) {
    if (good[file.label] > 0) continue;
    const auto folder = (listing.root / file.name).parent_path();
    ThrowInput(StrCat("class '", listing.classes[file.label], "' (", folder.string(), ") has no usable image for ",
                      split, ": ", file.name, " and the others are damaged; replace them or remove the class"));
  }
}

std::shared_ptr<const Dataset> MakeDataset(const FolderListing& listing, bool kept, Usable usable) {
  // A limit may have added files class by class in several rounds.
  std::vector<std::size_t> order(usable.files.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const ListedFile& x = usable.files[a];
    const ListedFile& y = usable.files[b];
    return x.label != y.label ? x.label < y.label : x.name < y.name;
  });
  if (!kept) {
    std::vector<ListedFile> files;
    files.reserve(order.size());
    for (const std::size_t i : order) files.push_back(std::move(usable.files[i]));
    return std::make_shared<FileDataset>(listing.classes, listing.store, std::move(files));
  }
  std::vector<CachedDataset::Entry> entries;
  entries.reserve(order.size());
  for (const std::size_t i : order) {
    const ExaminedFile& file = usable.examined[i];
    entries.push_back({file.pixels, file.info.width, file.info.height, usable.files[i].label,
                       listing.store->Describe(usable.files[i])});
  }
  return std::make_shared<CachedDataset>(listing.classes, std::move(usable.blocks), std::move(entries));
}

}  // namespace

int MedianSide(std::vector<int> sides) {
  if (sides.empty()) return 0;
  const auto middle = sides.begin() + static_cast<std::ptrdiff_t>(sides.size() / 2);
  std::nth_element(sides.begin(), middle, sides.end());
  return *middle;
}

void SplitListing(std::uint64_t seed, FolderListing* listing) {
  const auto by_class = PositionsByClass(listing->train, listing->classes.size());
  std::vector<bool> taken(listing->train.size());
  for (std::size_t c = 0; c < by_class.size(); ++c) {
    const auto size = static_cast<std::int64_t>(by_class[c].size());
    if (size < 2) {
      listing->problems.push_back(
          StrCat("class '", listing->classes[c], "' has 1 image (", listing->root.string(),
                 "), but 2 are needed to set one aside for the test; add images or a test folder"));
      continue;
    }
    const auto count = std::max<std::int64_t>(std::llround(kTestShare * static_cast<double>(size)), 1);
    for (const auto i : ChooseOfClass(by_class[c], count, seed, kTestSplitSalt, static_cast<int>(c))) taken[i] = true;
  }
  std::vector<ListedFile> rest;
  for (std::size_t i = 0; i < taken.size(); ++i) {
    (taken[i] ? listing->test : rest).push_back(std::move(listing->train[i]));
  }
  listing->train = std::move(rest);
}

DataSplits OpenImageFolder(const DataOptions& options) {
  FolderListing listing = ListFolder(options.spec);
  if (listing.problems.empty() && listing.test_folder.empty()) {
    SplitListing(options.seed, &listing);
    listing.notes.push_back(StrCat("no test folder: ", listing.test.size(), " of ",
                                   listing.test.size() + listing.train.size(),
                                   " images, a fifth of each class, are set aside for the test"));
  }
  if (!listing.problems.empty()) {
    const std::size_t more = listing.problems.size() - 1;
    ThrowInput(listing.problems.front() + (more > 0 ? StrCat(" (and ", more, " more like this)") : ""));
  }

  Examined examined;
  const bool small =
      EstimateDecodedBytes(listing, options.limit_per_class) <= static_cast<double>(options.decoded_limit_bytes);
  if (!small || !ExamineAll(listing, options, ExamineDepth::kKeep, &examined)) {
    examined = {};
    ExamineAll(listing, options, ExamineDepth::kHeader, &examined);
  }
  const std::string problem = examined.findings.Problem(options.spec);
  if (!problem.empty()) ThrowInput(problem);
  RequireEachClass(listing, examined.train, listing.train, "training");
  RequireEachClass(listing, examined.test, listing.test, "the test");

  DataSplits splits;
  splits.spec = options.spec;
  splits.listing_hash = listing.hash;
  splits.notes = std::move(listing.notes);
  const auto notes = examined.findings.Notes();
  splits.notes.insert(splits.notes.end(), notes.begin(), notes.end());
  std::vector<int> sides;
  for (const ExaminedFile& file : examined.train.examined) sides.push_back(std::min(file.info.width, file.info.height));
  splits.native_side = MedianSide(std::move(sides));
  splits.small_images = splits.native_side < kSmallSide;
  splits.train = MakeDataset(listing, examined.kept, std::move(examined.train));
  splits.test = MakeDataset(listing, examined.kept, std::move(examined.test));
  return splits;
}

}  // namespace nas::detail
