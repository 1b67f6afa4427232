// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "builtin_exporters.h"
#include "nas/core/files.h"
#include "read_back.h"

namespace nas::detail {
namespace {

class TimmExporter final : public Exporter {
 public:
  std::string_view format() const override { return "timm"; }

  void Export(const ExportModel& model, const std::filesystem::path& file) const override {
    WriteFileAtomic(file, PrettyDump(ToTimm(model.network->architecture())));
  }

  VerifyResult Verify(const ExportModel& model, const std::filesystem::path& file,
                      const VerifyInputs& /*inputs*/) const override {
    return CompareArchitecture(model, [&] { return ArchitectureFromTimm(JsonDocument::Load(file.string())); });
  }
};

}  // namespace

std::unique_ptr<Exporter> MakeTimmExporter() { return std::make_unique<TimmExporter>(); }

}  // namespace nas::detail
