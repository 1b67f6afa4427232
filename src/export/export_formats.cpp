// SPDX-License-Identifier: Apache-2.0
#include "nas/export/export_formats.h"

#include <algorithm>

#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas {

const std::vector<ExportFormat>& ExportFormats() {
  static const std::vector<ExportFormat> formats = {
      {"onnx", "model.onnx", "ONNX, opset 17, any batch size, BN folded"},
      {"torchscript", "model.pt", "TorchScript with the state-dict names, for C++ and Python"},
      {"safetensors", "model.safetensors", "weights by state-dict names"},
      {"state-dict", "init", "weights for PyTorch's torch.load, as published ProxylessNAS code reads them"},
      {"net.config", "net.config", "the architecture as published ProxylessNAS and OFA code reads it"},
      {"timm", "arch.timm", "the architecture as timm block strings"},
  };
  return formats;
}

const ExportFormat& FindExportFormat(std::string_view name) {
  std::vector<std::string> names;
  for (const ExportFormat& format : ExportFormats()) {
    if (format.name == name) return format;
    names.emplace_back(format.name);
  }
  const std::string near = NearestName(name, names);
  ThrowUsage(StrCat("--format ", name, " is not known", near.empty() ? "" : StrCat(" (did you mean ", near, "?)"),
                    "; formats: ", Join(names, ", ")));
}

std::vector<std::string> ParseFormatList(std::string_view list) {
  std::vector<std::string> asked;
  for (const std::string& word : Split(list, ',')) {
    const std::string name = Trim(word);
    if (!name.empty()) asked.emplace_back(FindExportFormat(name).name);
  }
  std::vector<std::string> formats;
  for (const ExportFormat& format : ExportFormats()) {
    if (std::find(asked.begin(), asked.end(), format.name) != asked.end()) formats.emplace_back(format.name);
  }
  if (formats.empty()) ThrowUsage("--format is empty; give names separated by commas, such as onnx,safetensors");
  return formats;
}

}  // namespace nas
