// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "builtin_exporters.h"
#include "nas/core/files.h"
#include "read_back.h"

namespace nas::detail {
namespace {

class NetConfigExporter final : public Exporter {
 public:
  std::string_view format() const override { return "net.config"; }

  void Export(const ExportModel& model, const std::filesystem::path& file) const override {
    WriteFileAtomic(file, PrettyDump(ToNetConfig(model.network->architecture())));
  }

  VerifyResult Verify(const ExportModel& model, const std::filesystem::path& file,
                      const VerifyInputs& /*inputs*/) const override {
    return CompareArchitecture(model, [&] {
      return ArchitectureFromNetConfig(JsonDocument::Load(file.string()), model.network->architecture().resolution);
    });
  }
};

}  // namespace

std::unique_ptr<Exporter> MakeNetConfigExporter() { return std::make_unique<NetConfigExporter>(); }

}  // namespace nas::detail
