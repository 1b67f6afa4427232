// SPDX-License-Identifier: Apache-2.0
#include "nas/export/export_network.h"

#include <exception>
#include <system_error>
#include <utility>

#include <ATen/ATen.h>

#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/hash.h"
#include "nas/core/text.h"

namespace nas {
namespace {

namespace fs = std::filesystem;

/// Holds new files until all of them are there; removes them, and the folders that it made, unless they were moved to
/// their place.
class Draft {
 public:
  explicit Draft(const fs::path& out) : out_(out) {
    for (fs::path place = fs::absolute(out).lexically_normal(); !place.empty() && !fs::exists(place);) {
      made_.push_back(place);
      const fs::path above = place.parent_path();
      if (above == place) break;
      place = above;
    }
    MakeDirectory(out_);
    path_ = out_ / ".export-draft";
    std::error_code ignored;
    fs::remove_all(path_, ignored);  // of a process that was killed
    MakeDirectory(path_);
  }
  ~Draft() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
    if (done_) return;
    for (const fs::path& folder : made_) fs::remove(folder, ignored);  // only if empty; innermost first
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  fs::path File(std::string_view name) const { return path_ / std::string(name); }

  void Publish(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      std::error_code error;
      fs::rename(path_ / name, out_ / name, error);
      if (error) ThrowInput(StrCat("cannot write ", (out_ / name).string(), ": ", error.message()));
    }
    done_ = true;
  }

 private:
  fs::path out_;
  fs::path path_;
  std::vector<fs::path> made_;  ///< folders that were not there before
  bool done_ = false;
};

std::vector<std::string> FileNames(const ExportPlan& plan) {
  std::vector<std::string> names;
  for (const std::string& format : plan.formats) names.emplace_back(FindExportFormat(format).file);
  names.emplace_back(kPassportFile);
  return names;
}

void WriteAll(const ExportModel& model, const ExportPlan& plan, Passport* passport) {
  CheckExportPlace(plan);
  Draft draft(plan.out);
  for (const std::string& format : plan.formats) {
    const ExportFormat& what = FindExportFormat(format);
    const Exporter& exporter = FindExporter(format);
    const fs::path file = draft.File(what.file);
    exporter.Export(model, file);
    PassportFile entry;
    entry.role = format;
    entry.path = what.file;
    if (plan.verify) {
      const VerifyResult result = exporter.Verify(model, file, *plan.verify);
      if (!result.ok()) {
        throw Error(ErrorKind::kVerification,
                    StrCat("the exported ", what.file, " is wrong and was not kept: ", result.fault));
      }
      entry.verified = ToJson(result);
    }
    entry.hash = HashFile(file);
    entry.bytes = static_cast<std::int64_t>(fs::file_size(file));
    passport->exported.push_back(std::move(entry));
  }
  WriteFileAtomic(draft.File(kPassportFile), PrettyDump(ToJson(*passport)));
  draft.Publish(FileNames(plan));
}

}  // namespace

void CheckExportPlace(const ExportPlan& plan) {
  std::error_code ignored;
  if (fs::exists(plan.out, ignored) && !fs::is_directory(plan.out, ignored)) {
    ThrowInput(StrCat("--out ", plan.out.string(), " is a file; give a folder"));
  }
  if (plan.force) return;
  for (const std::string& name : FileNames(plan)) {
    if (fs::exists(plan.out / name, ignored)) {
      ThrowInput(StrCat((plan.out / name).string(), " is there already; give another --out, or --force to replace it"));
    }
  }
}

void ExportNetwork(const ExportModel& model, const ExportPlan& plan, Passport* passport) {
  try {
    WriteAll(model, plan, passport);
  } catch (const c10::Error& error) {
    ThrowInternal(StrCat("LibTorch: ", error.what_without_backtrace()));
  }
}

}  // namespace nas
