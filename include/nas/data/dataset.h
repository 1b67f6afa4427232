// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "nas/data/image.h"

namespace nas {

/// Labelled pictures, addressed by index. Safe to read from several threads.
class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual std::int64_t size() const = 0;
  virtual const std::vector<std::string>& class_names() const = 0;
  virtual int label(std::int64_t index) const = 0;
  /// Decoded picture; corrupt ones were left out when the set was opened (or throw kInput naming the file).
  virtual Image Get(std::int64_t index) const = 0;
  /// Where a sample comes from, for messages.
  virtual std::string Describe(std::int64_t index) const = 0;

  /// The picture where it is held decoded, valid as long as this set; `pixels` is null for sets that decode on demand.
  virtual ImageView Borrow(std::int64_t index) const;
  /// Decodes only what the plan needs and resizes it into `out` (window_width × window_height). JPEG files are decoded
  /// at a reduced scale where that suffices, so pixels may differ a little from resizing `Get`.
  virtual void GetResized(std::int64_t index, const ResizePlanner& planner, Image* out) const;
  /// These samples are wanted soon, in any order; a hint for sets on slow disks.
  virtual void WillRead(std::span<const std::int64_t> /*indices*/) const {}

  int classes() const { return static_cast<int>(class_names().size()); }
};

/// The splits of one data set. `train` may later be carved; `test` is never used in the search itself.
struct DataSplits {
  std::shared_ptr<const Dataset> train;
  std::shared_ptr<const Dataset> test;
  std::string spec;           ///< as given: "demo", a folder, "cifar10:DIR"
  int native_side = 0;        ///< typical short side in pixels (32 for CIFAR): picks the default space and resolution
  bool small_images = false;  ///< CIFAR-like: crop by padding instead of RandomResizedCrop
  std::string listing_hash;   ///< identifies the data (names and sizes), for env.json and passports
  std::vector<std::string> notes;  ///< one sentence each: converted, skipped, carved; for the log
};

struct DataOptions {
  std::string spec = "demo";         ///< demo | DIR | cifar10:DIR
  std::int64_t limit_per_class = 0;  ///< training images per class, seeded choice; 0 = all
  std::uint64_t seed = 0;
  int threads = 1;
  std::int64_t decoded_limit_bytes = std::int64_t{1} << 30;  ///< image folders up to this size are kept decoded
};

/// Opens a data set. Throws kInput: missing folder, no class, a class without images, more than 1 % bad files.
DataSplits OpenData(const DataOptions& options);

/// A class-balanced, seeded part of a set, and the rest (both keep the order of indices).
struct Carved {
  std::shared_ptr<const Dataset> rest;
  std::shared_ptr<const Dataset> part;
};
/// `count` images in the part, the same number of each class (±1), at least 1 and at most half of a class (what a small
/// class cannot give, larger ones do). Throws kInput naming a class with fewer than `min_per_class` images (or than 2).
Carved CarveOut(std::shared_ptr<const Dataset> dataset, std::int64_t count, std::uint64_t seed, int min_per_class);

/// A view on chosen indices.
std::shared_ptr<const Dataset> Subset(std::shared_ptr<const Dataset> dataset, std::vector<std::int64_t> indices);

}  // namespace nas
