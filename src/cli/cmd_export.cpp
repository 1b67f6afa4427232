// SPDX-License-Identifier: Apache-2.0
#include "cmd_export.h"

#include <memory>

#include "compute.h"
#include "nas/core/text.h"
#include "nas/export/export_formats.h"
#include "nas/export/export_options.h"

namespace nas::cli {
namespace {

std::string FormatNames() {
  std::vector<std::string> names;
  for (const ExportFormat& format : ExportFormats()) names.emplace_back(format.name);
  return Join(names, ", ");
}

}  // namespace

Run ConfigureExport(FlagSet& flags) {
  auto o = std::make_shared<ExportOptions>();
  flags.Group("Which network");
  flags.Add("--run", &o->run, "run folder of search or train");
  flags.Add("--target", &o->target, "target of --run, where it has several");
  flags.Add("--arch", &o->arch, "architecture file: JSON, net.config or arch.timm");
  flags.Add("--weights", &o->weights, "safetensors of --arch; without: random weights");
  flags.Group("What is written");
  flags.AddParsed(
      "--format", "LIST", [o](const std::string& text) { o->formats = ParseFormatList(text); },
      [o] { return Join(o->formats, ","); }, "separated by commas: " + FormatNames());
  flags.AddSwitch("--keep-bn", &o->keep_bn, "ONNX with BatchNormalization nodes; else BN is folded into the convs");
  flags.AddSwitch("--fp16", &o->fp16, "ONNX in half precision; input and output stay float");
  flags.Add("--out", &o->out, "folder; by default `export` beside the run's network, or runs/export-<name>-<date>-<n>");
  flags.AddSwitch("--force", &o->force, "replace files of an earlier export in --out");
  flags.Group("Verification");
  flags.AddSwitch("--verify", &o->verify, "run or read back every file and compare it with the network");
  flags.Add("--data", &o->data,
            "images to verify with, and whose preprocessing and class names travel along: demo, an image folder, or "
            "cifar10:DIR; by default the run's own");
  flags.Add("--images", &o->images, "test images to verify with");
  flags.Add("--python", &o->python, "interpreter with ONNX Runtime; by default the project's .venv");
  SetExamples(flags,
              "  nas export --run runs/photos --target cpu --format onnx,torchscript,safetensors --verify\n"
              "  nas export --arch proxyless_gpu.config --format onnx --out published");
  return [o](const Session& session) {
    o->threads = session.threads;
    o->seed = session.seed;
    o->Validate();
    return compute::Export(*o, session);
  };
}

}  // namespace nas::cli
