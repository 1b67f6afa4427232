// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>

#include "builtin_exporters.h"
#include "compare.h"
#include "model_facts.h"
#include "nas/core/files.h"
#include "nas/core/text.h"
#include "onnx_model.h"
#include "onnx_runner.h"

namespace nas::detail {
namespace {

class OnnxExporter final : public Exporter {
 public:
  std::string_view format() const override { return "onnx"; }

  void Export(const ExportModel& model, const std::filesystem::path& file) const override {
    const std::map<std::string, std::string> facts = ModelFacts(model);
    const Graph graph = model.keep_bn ? BuildGraph(*model.network) : BuildGraph(model.network->Folded());
    WriteFileAtomic(file, EncodeOnnx(graph, model.fp16, {facts.begin(), facts.end()}));
  }

  VerifyResult Verify(const ExportModel& model, const std::filesystem::path& file,
                      const VerifyInputs& inputs) const override {
    const double tolerance = model.fp16 ? kHalfTolerance : kFloatTolerance;
    const OnnxRun run = RunOnnx(file, inputs.images, inputs.python);
    VerifyResult result;
    result.how = run.how;
    result.fault = run.fault;
    if (!result.ok()) return result;
    // Half precision ends at 6e-8: tiny logits of random weights vanish in it.
    CompareLogits(run.logits, inputs.logits, tolerance, &result, /*least_scale=*/model.fp16 ? 1 : 0);
    if (result.ok() && run.batch_difference > *result.tolerance) {
      result.fault = StrCat("its outputs depend on the batch size, by up to ", run.batch_difference);
    }
    return result;
  }
};

}  // namespace

std::unique_ptr<Exporter> MakeOnnxExporter() { return std::make_unique<OnnxExporter>(); }

}  // namespace nas::detail
