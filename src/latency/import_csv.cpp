// SPDX-License-Identifier: Apache-2.0
// `csv`: one block per record, columns by name.
#include <algorithm>
#include <map>

#include "csv_reader.h"
#include "import_rules.h"
#include "importers.h"
#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas {
namespace {

const std::vector<std::string>& KnownColumns() {
  static const std::vector<std::string> columns = {"device", "runtime", "op",     "h_in",   "c_in",  "h_out",
                                                   "c_out",  "mid",     "kernel", "stride", "skip",  "se",
                                                   "act",    "mean_ms", "std_ms", "count",  "source"};
  return columns;
}

const std::vector<std::string>& OptionalColumns() {
  static const std::vector<std::string> columns = {"device", "runtime", "std_ms", "count", "source"};
  return columns;
}

/// One record with its columns by name.
class Record {
 public:
  Record(const std::map<std::string, size_t>& columns, const CsvRecord& record, std::string where)
      : columns_(columns), record_(record), where_(std::move(where)) {}

  const std::string& where() const { return where_; }
  std::string Text(const std::string& column) const {
    const auto at = columns_.find(column);
    return at == columns_.end() ? "" : record_.fields[at->second];
  }
  int Whole(const std::string& column, int most) const {
    long long value = 0;
    const std::string text = Text(column);
    if (!ParseInt(text, &value) || value < 0 || value > most) {
      ThrowAt(where_, StrCat(column, " \"", text, "\" is not a whole number from 0 to ", most));
    }
    return static_cast<int>(value);
  }

 private:
  const std::map<std::string, size_t>& columns_;
  const CsvRecord& record_;
  std::string where_;
};

std::map<std::string, size_t> ReadHeader(const CsvRecord& header, const std::string& source_name,
                                         const ImportOptions& options) {
  std::map<std::string, size_t> columns;
  const std::string where = StrCat(source_name, ":", header.line);
  for (size_t i = 0; i < header.fields.size(); ++i) {
    const std::string name = Trim(header.fields[i]);
    CheckKnownField(where, "column", name, KnownColumns(), options);
    if (!columns.emplace(name, i).second) ThrowAt(where, StrCat("column \"", name, "\" stands twice; remove one"));
  }
  for (const auto& name : KnownColumns()) {
    const bool optional =
        std::find(OptionalColumns().begin(), OptionalColumns().end(), name) != OptionalColumns().end();
    if (!optional && columns.count(name) == 0)
      ThrowAt(where, StrCat("no column \"", name, "\"; expected ", Join(KnownColumns(), ",")));
  }
  return columns;
}

ImportedRow ReadRow(const Record& record, const std::string& source_name, const ImportOptions& options) {
  ImportedRow row;
  row.where = record.where();
  try {
    row.key.op = ParseBlockOp(record.Text("op"));
    const std::string act = record.Text("act");
    row.key.act = act.empty() ? BlockAct::kNone : ParseBlockAct(act);
  } catch (const Error& error) {
    ThrowAt(row.where, error.what());
  }
  constexpr int kMost = 1 << 20;
  row.key.h = record.Whole("h_in", kMost);
  row.key.cin = record.Whole("c_in", kMost);
  row.key.hout = record.Whole("h_out", kMost);
  row.key.cout = record.Whole("c_out", kMost);
  row.key.mid = record.Whole("mid", kMost);
  row.key.k = record.Whole("kernel", kMost);
  row.key.s = record.Whole("stride", kMost);
  row.key.skip = record.Whole("skip", 1) == 1;
  row.key.se = record.Whole("se", 1) == 1;
  CheckImportedKey(row.where, row.key);
  row.ms = ImportLatency(row.where, "mean_ms", record.Text("mean_ms"), options.ms_per_unit);
  const std::string std_ms = record.Text("std_ms");
  if (!std_ms.empty()) row.std_ms = ImportDeviation(row.where, "std_ms", std_ms, options.ms_per_unit);
  const std::string count = record.Text("count");
  if (!count.empty()) row.count = ImportCount(row.where, "count", count);
  row.source = record.Text("source");
  if (row.source.empty()) row.source = source_name;
  return row;
}

class CsvImporter : public Importer {
 public:
  std::string_view name() const override { return "csv"; }

  ImportedData Import(const std::string& text, const std::string& source_name,
                      const ImportOptions& options) const override {
    const std::vector<CsvRecord> records = ReadCsv(text, source_name);
    if (records.empty()) ThrowInput(StrCat(source_name, ": no header line; expected ", Join(KnownColumns(), ",")));
    const auto columns = ReadHeader(records[0], source_name, options);
    ImportedData data;
    SourceFilter filter(options);
    for (size_t i = 1; i < records.size(); ++i) {
      const Record record(columns, records[i], StrCat(source_name, ":", records[i].line));
      const size_t got = records[i].fields.size();
      if (got < records[0].fields.size() && i + 1 == records.size()) {
        ThrowAt(record.where(), StrCat("ends inside record ", i, "; the file is cut off, get it again"));
      }
      if (got != records[0].fields.size()) {
        ThrowAt(record.where(), StrCat(got, " fields instead of ", records[0].fields.size()));
      }
      if (!filter.Accept(record.Text("device"), record.Text("runtime"))) continue;
      data.rows.push_back(ReadRow(record, source_name, options));
    }
    filter.Finish(source_name, &data);
    if (data.rows.empty()) ThrowInput(StrCat(source_name, ": no records under the header"));
    return data;
  }
};

}  // namespace

const Importer& CsvBlocksImporter() {
  static const CsvImporter importer;
  return importer;
}

}  // namespace nas
