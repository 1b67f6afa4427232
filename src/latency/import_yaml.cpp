// SPDX-License-Identifier: Apache-2.0
// `proxyless-yaml` and `ofa-yaml`: latency tables of the ProxylessNAS and once-for-all projects.
#include "import_rules.h"
#include "importers.h"
#include "nas/core/error.h"
#include "nas/core/text.h"
#include "yaml_key.h"
#include "yaml_reader.h"

namespace nas {
namespace {

class YamlImporter : public Importer {
 public:
  YamlImporter(std::string_view name, YamlGrammar grammar) : name_(name), grammar_(grammar) {}
  std::string_view name() const override { return name_; }

  ImportedData Import(const std::string& text, const std::string& source_name,
                      const ImportOptions& options) const override {
    const std::vector<YamlEntry> entries = ReadYamlMaps(text, source_name);
    if (entries.empty()) ThrowInput(StrCat(source_name, ": no entries"));
    CheckWhole(entries, source_name);
    ImportedData data;
    for (const auto& entry : entries) data.rows.push_back(ReadEntry(entry, source_name, options));
    return data;
  }

 private:
  const char* SpreadField() const { return grammar_ == YamlGrammar::kOfa ? "std" : "var"; }

  /// A last entry that lacks what the first has shows that the file was cut at a line end.
  static void CheckWhole(const std::vector<YamlEntry>& entries, const std::string& source_name) {
    for (const auto& field : entries.front().fields) {
      if (entries.back().Find(field.key) != nullptr) continue;
      ThrowInput(StrCat(source_name, ":", entries.back().line, ": ends inside record ", entries.size(), " (no ",
                        field.key, " for ", entries.back().key, "); the file is cut off, get it again"));
    }
  }

  ImportedRow ReadEntry(const YamlEntry& entry, const std::string& source_name, const ImportOptions& options) const {
    ImportedRow row;
    row.where = StrCat(source_name, ":", entry.line);
    row.key = ParseYamlKey(entry.key, grammar_, row.where);
    row.source = source_name;
    const YamlField* mean = entry.Find("mean");
    if (mean == nullptr)
      ThrowAt(row.where, StrCat("entry \"", entry.key, "\" has no mean; the file is damaged, get it again"));
    for (const auto& field : entry.fields) {
      const std::string where = StrCat(source_name, ":", field.line);
      CheckKnownField(where, "value field", field.key, {"count", "mean", SpreadField()}, options);
      if (field.key == "count") row.count = ImportCount(where, "count", field.value);
      if (field.key == "mean") row.ms = ImportLatency(where, "mean", field.value, options.ms_per_unit);
      if (field.key != SpreadField()) continue;
      row.std_ms = grammar_ == YamlGrammar::kOfa ? ImportDeviation(where, "std", field.value, options.ms_per_unit)
                                                 : ImportVariance(where, "var", field.value, options.ms_per_unit);
    }
    return row;
  }

  std::string_view name_;
  YamlGrammar grammar_;
};

}  // namespace

const Importer& ProxylessYamlImporter() {
  static const YamlImporter importer("proxyless-yaml", YamlGrammar::kProxyless);
  return importer;
}

const Importer& OfaYamlImporter() {
  static const YamlImporter importer("ofa-yaml", YamlGrammar::kOfa);
  return importer;
}

}  // namespace nas
