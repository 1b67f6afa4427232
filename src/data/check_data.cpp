// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <nlohmann/json.hpp>

#include "image_examiner.h"
#include "image_folder.h"
#include "nas/core/text.h"
#include "nas/data/check.h"
#include "nas/data/dataset.h"

namespace nas {
namespace {

void CountDataset(const Dataset& dataset, std::int64_t DataReport::ClassCount::*split, DataReport* report) {
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    ++(report->classes[dataset.label(i)].*split);
    const ImageView view = dataset.Borrow(i);
    report->decoded_bytes += std::int64_t{3} * view.width * view.height;
  }
}

/// Sets that are held in memory: the demo set and CIFAR's binary files, which are complete or refused.
DataReport CheckHeldData(const std::string& spec, int threads) {
  DataOptions options;
  options.spec = spec;
  options.threads = threads;
  const DataSplits splits = OpenData(options);
  DataReport report;
  for (const std::string& name : splits.train->class_names()) report.classes.push_back({name, 0, 0});
  CountDataset(*splits.train, &DataReport::ClassCount::train, &report);
  CountDataset(*splits.test, &DataReport::ClassCount::test, &report);
  report.files_examined = splits.train->size() + splits.test->size();
  report.smallest_side = report.largest_side = report.native_side = splits.native_side;
  report.small_images = splits.small_images;
  report.notes = splits.notes;
  return report;
}

DataReport CheckFolder(const std::string& spec, int threads) {
  DataReport report;
  detail::FolderListing listing = detail::ListFolder(spec);
  report.test_carved = listing.test_folder.empty();
  if (report.test_carved) detail::SplitListing(/*seed=*/0, &listing);
  report.problems = listing.problems;
  report.notes = listing.notes;
  report.pack_shards = listing.pack_shards;
  report.pack_bytes = listing.pack_bytes;
  report.listing_hash = listing.hash;
  for (const std::string& name : listing.classes) report.classes.push_back({name, 0, 0});
  detail::Findings findings;
  std::vector<int> sides;
  const auto look = [&](const std::vector<detail::ListedFile>& files, std::int64_t DataReport::ClassCount::*split) {
    const auto examination = detail::ExamineFiles(*listing.store, files, detail::ExamineDepth::kDecode, 0, threads);
    for (std::size_t i = 0; i < files.size(); ++i) {
      const detail::ExaminedFile& file = examination.files[i];
      findings.Add(files[i], file);
      if (!file.usable) continue;
      ++(report.classes[files[i].label].*split);
      const auto [low, high] = std::minmax(file.info.width, file.info.height);
      report.smallest_side = report.smallest_side == 0 ? low : std::min(report.smallest_side, low);
      report.largest_side = std::max(report.largest_side, high);
      report.decoded_bytes += std::int64_t{3} * low * high;
      if (split == &DataReport::ClassCount::train) sides.push_back(low);
    }
  };
  look(listing.train, &DataReport::ClassCount::train);
  look(listing.test, &DataReport::ClassCount::test);
  report.files_examined = findings.examined();
  report.bad_by_kind = findings.BadByKind();
  report.converted_by_kind = findings.ConvertedByKind();
  report.bad_files = findings.bad_files();
  report.native_side = detail::MedianSide(sides);
  report.small_images = report.native_side < detail::kSmallSide;
  const std::string too_many = findings.Problem(spec);
  if (!too_many.empty()) report.problems.push_back(too_many);
  return report;
}

}  // namespace

DataReport CheckData(const std::string& spec, int threads) {
  const bool held = spec == "demo" || StartsWith(spec, "cifar10:");
  DataReport report = held ? CheckHeldData(spec, threads) : CheckFolder(spec, threads);
  report.spec = spec;
  for (const auto& entry : report.classes) {
    report.train_images += entry.train;
    report.test_images += entry.test;
    if (entry.train == 0 && report.problems.empty()) {
      report.problems.push_back(
          StrCat("class '", entry.name, "' has no usable training image; add images or remove it"));
    }
  }
  return report;
}

Json ToJson(const DataReport& report) {
  Json classes = Json::array();
  for (const auto& entry : report.classes) {
    classes.push_back({{"name", entry.name}, {"train", entry.train}, {"test", entry.test}});
  }
  Json bad_files = Json::array();
  for (const auto& file : report.bad_files) bad_files.push_back({{"path", file.path}, {"kind", file.kind}});
  Json json;
  json["data"] = report.spec;
  json["ok"] = report.ok();
  json["problems"] = report.problems;
  json["train_images"] = report.train_images;
  json["test_images"] = report.test_images;
  json["test_carved"] = report.test_carved;
  json["native_side"] = report.native_side;
  json["smallest_side"] = report.smallest_side;
  json["largest_side"] = report.largest_side;
  json["small_images"] = report.small_images;
  json["decoded_bytes"] = report.decoded_bytes;
  if (report.pack_shards > 0) json["pack"] = {{"shards", report.pack_shards}, {"bytes", report.pack_bytes}};
  if (!report.listing_hash.empty()) json["listing_hash"] = report.listing_hash;
  json["files_examined"] = report.files_examined;
  json["bad"] = report.bad_by_kind;
  json["converted"] = report.converted_by_kind;
  json["bad_files"] = std::move(bad_files);
  json["notes"] = report.notes;
  json["classes"] = std::move(classes);
  return json;
}

}  // namespace nas
