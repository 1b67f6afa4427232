// SPDX-License-Identifier: Apache-2.0
#include "cmd_data.h"

#include <memory>

#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/log.h"
#include "nas/core/table_printer.h"
#include "nas/core/text.h"
#include "nas/core/units.h"
#include "nas/data/check.h"
#include "nas/data/pack.h"

namespace nas::cli {
namespace {

int Check(const std::string& spec, const Session& session) {
  const DataReport report = CheckData(spec, session.threads);
  if (session.json) {
    Json json{{"schema", "nas.data/1"}};
    json.update(ToJson(report));
    session.PrintJson(json);
  } else {
    TablePrinter table({"class", "train", "test"});
    for (const DataReport::ClassCount& c : report.classes) table.AddRow({c.name, StrCat(c.train), StrCat(c.test)});
    table.AddRow({"all", StrCat(report.train_images), StrCat(report.test_images)});
    session.Print(table.ToString(session.color));
    session.Print(StrCat("\nsides ", report.smallest_side, " … ", report.largest_side, " px, ",
                         ToString(Bytes{report.decoded_bytes}), " decoded"));
    if (report.pack_shards > 0) {
      session.Print(StrCat("packed: ", report.pack_shards, report.pack_shards == 1 ? " shard" : " shards", ", ",
                           ToString(Bytes{report.pack_bytes}), ", all checksums right"));
    }
    if (!report.listing_hash.empty()) session.Print(StrCat("listing ", report.listing_hash));
    for (const std::string& note : report.notes) session.Print("note: " + note);
    for (const auto& bad : report.bad_files) session.Print(StrCat("bad: ", bad.path, ": ", bad.kind));
  }
  if (!report.ok()) ThrowInput(Join(report.problems, "; "));
  return 0;
}

int Pack(PackOptions options, const Session& session) {
  options.threads = session.threads;
  options.stop = session.stop;
  const auto progress = session.MakeProgressSink();
  options.progress = [&](std::int64_t done, std::int64_t total) {
    progress->Update({"pack", static_cast<double>(done), static_cast<double>(total), {}, -1});
  };
  const PackResult result = PackData(options);
  progress->Finish();
  if (session.json) {
    session.PrintJson({{"schema", "nas.data.pack/1"},
                       {"out", options.out},
                       {"images", result.images},
                       {"unusable", result.unusable},
                       {"shards", result.shards},
                       {"bytes", result.bytes},
                       {"resumed", result.resumed},
                       {"listing_hash", result.listing_hash}});
    return 0;
  }
  session.Print(StrCat(result.images, " images, ", result.shards, result.shards == 1 ? " shard, " : " shards, ",
                       ToString(Bytes{result.bytes}), " in ", options.out));
  if (result.resumed == result.images) {
    LogInfo("the pack was there already");
  } else if (result.resumed > 0) {
    LogInfo(StrCat(result.resumed, " images had been packed by an earlier call"));
  }
  if (result.unusable > 0) {
    LogWarning(StrCat(result.unusable, " files are no use and stand in the index by name only (`nas data check ",
                      options.out, "` lists them)"));
  }
  return 0;
}

}  // namespace

Run ConfigureData(FlagSet& flags) {
  auto checked = std::make_shared<std::vector<std::string>>();
  auto places = std::make_shared<std::vector<std::string>>();
  auto options = std::make_shared<PackOptions>();
  FlagSet& check = flags.Sub("check", "decode every file and say what the loader would make of it");
  check.Positional("data", checked.get(), "demo, an image folder or its pack, or cifar10:DIR", true);
  FlagSet& pack = flags.Sub("pack", "pack an image folder into a few large files for slow or network disks");
  pack.Positional("places", places.get(), "DIR OUT: the image folder, and the folder to make", true);
  pack.AddParsed(
      "--shard-size", "SIZE", [options](const std::string& text) { options->shard_bytes = ParseBytes(text).value; },
      [options] { return ToString(Bytes{options->shard_bytes}); }, "a file is closed once it has as much");
  pack.AddSwitch("--force", &options->force, "replace the pack that is there");
  SetExamples(flags,
              "  nas data check photos/\n  nas data check cifar10:cifar-10-batches-bin --json\n"
              "  nas data pack photos/ photos.pack && nas search --data photos.pack");
  return [&flags, checked, places, options](const Session& session) {
    if (flags.Called() == "check") {
      if (checked->size() != 1) ThrowUsage(StrCat("nas data check takes one place, not ", checked->size()));
      return Check(checked->at(0), session);
    }
    if (places->size() != 2) {
      ThrowUsage(StrCat("nas data pack takes two places, DIR and OUT, not ", places->size(),
                        "; e.g. nas data pack photos/ photos.pack"));
    }
    options->source = places->at(0);
    options->out = places->at(1);
    return Pack(*options, session);
  };
}

}  // namespace nas::cli
