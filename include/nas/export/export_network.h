// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "nas/export/exporter.h"
#include "nas/export/passport.h"

namespace nas {

struct ExportPlan {
  std::filesystem::path out;         ///< folder; made when missing
  std::vector<std::string> formats;  ///< names of `ExportFormats`
  bool force = false;                ///< replace files of the same names
  std::optional<VerifyInputs> verify;
};

/// Throws kInput when `out` holds one of the files already (unless `force`) or is no folder. Writes nothing.
void CheckExportPlace(const ExportPlan& plan);

/// Writes the files of all formats and the passport, which gets the list of files. Everything is written under another
/// name first and appears under its final one only when all of it is there and, where asked, verified: after an error
/// the folder is as it was before. Throws kVerification naming file and difference, and what the exporters throw.
void ExportNetwork(const ExportModel& model, const ExportPlan& plan, Passport* passport);

}  // namespace nas
