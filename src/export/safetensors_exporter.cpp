// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>

#include "builtin_exporters.h"
#include "compare.h"
#include "model_facts.h"
#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/nn/safetensors.h"
#include "read_back.h"

namespace nas::detail {
namespace {

class SafetensorsExporter final : public Exporter {
 public:
  std::string_view format() const override { return "safetensors"; }

  void Export(const ExportModel& model, const std::filesystem::path& file) const override {
    WriteSafetensors(file, PlainTensors(*model.network), ModelFacts(model));
  }

  VerifyResult Verify(const ExportModel& model, const std::filesystem::path& file,
                      const VerifyInputs& inputs) const override {
    return CompareReadBack(model, inputs, [&] { return ReadSafetensors(file).tensors; });
  }
};

}  // namespace

std::unique_ptr<Exporter> MakeSafetensorsExporter() { return std::make_unique<SafetensorsExporter>(); }

}  // namespace nas::detail
