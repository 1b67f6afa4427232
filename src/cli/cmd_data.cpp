// SPDX-License-Identifier: Apache-2.0
#include "cmd_data.h"

#include <memory>

#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/table_printer.h"
#include "nas/core/text.h"
#include "nas/core/units.h"
#include "nas/data/check.h"

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
    for (const std::string& note : report.notes) session.Print("note: " + note);
    for (const auto& bad : report.bad_files) session.Print(StrCat("bad: ", bad.path, ": ", bad.kind));
  }
  if (!report.ok()) ThrowInput(Join(report.problems, "; "));
  return 0;
}

}  // namespace

Run ConfigureData(FlagSet& flags) {
  auto where = std::make_shared<std::vector<std::string>>();
  FlagSet& check = flags.Sub("check", "decode every file and say what the loader would make of it");
  check.Positional("data", where.get(), "demo, an image folder, or cifar10:DIR", true);
  SetExamples(flags, "  nas data check photos/\n  nas data check cifar10:cifar-10-batches-bin --json");
  return [where](const Session& session) { return Check(where->at(0), session); };
}

}  // namespace nas::cli
