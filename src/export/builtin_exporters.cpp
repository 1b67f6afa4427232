// SPDX-License-Identifier: Apache-2.0
#include "builtin_exporters.h"

#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas {

const std::vector<std::unique_ptr<Exporter>>& BuiltinExporters() {
  static const std::vector<std::unique_ptr<Exporter>> exporters = [] {
    std::vector<std::unique_ptr<Exporter>> list;
    list.push_back(detail::MakeOnnxExporter());
    list.push_back(detail::MakeTorchscriptExporter());
    list.push_back(detail::MakeSafetensorsExporter());
    list.push_back(detail::MakeStateDictExporter());
    list.push_back(detail::MakeNetConfigExporter());
    list.push_back(detail::MakeTimmExporter());
    return list;
  }();
  return exporters;
}

const Exporter& FindExporter(std::string_view format) {
  FindExportFormat(format);  // refuses unknown names with the list
  for (const std::unique_ptr<Exporter>& exporter : BuiltinExporters()) {
    if (exporter->format() == format) return *exporter;
  }
  ThrowInternal(StrCat("the format ", format, " has no exporter"));
}

}  // namespace nas
