// SPDX-License-Identifier: Apache-2.0
#include "importers.h"
#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas {

const std::vector<const Importer*>& BuiltinImporters() {
  static const std::vector<const Importer*> importers = {&CsvBlocksImporter(), &ProxylessYamlImporter(),
                                                         &OfaYamlImporter(), &NetsJsonlImporter()};
  return importers;
}

const Importer& FindImporter(std::string_view name) {
  std::vector<std::string> names;
  for (const Importer* importer : BuiltinImporters()) {
    if (importer->name() == name) return *importer;
    names.emplace_back(importer->name());
  }
  ThrowUsage(StrCat("unknown import format \"", name, "\"", DidYouMean(name, names)));
}

double MsPerUnit(std::string_view unit) {
  if (unit == "ms") return 1;
  if (unit == "us") return 1e-3;
  if (unit == "s") return 1e3;
  ThrowUsage(StrCat("unknown unit \"", unit, "\" of latency; known: ms, us, s"));
}

}  // namespace nas
