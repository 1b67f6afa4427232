// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nas/latency/block_key.h"

namespace nas {

/// What the file itself does not say.
struct ImportOptions {
  std::string device;                       ///< takes only rows of this device, "" = the file must hold one
  std::string runtime;                      ///< likewise
  double ms_per_unit = 1;                   ///< `--unit us`: 0.001, `--unit s`: 1000
  std::vector<std::string> ignore_columns;  ///< unknown columns or fields that may be there
  double width = 0;                         ///< nets-jsonl, OFA code: width multiplier; 0 = not given
  int batch = 0;                            ///< nets-jsonl, OFA code: images per call; 0 = not given
  std::string column;                       ///< nets-jsonl: the latency field; "" = the only one that ends in `_ms`
  int resolution = 0;                       ///< nets-jsonl: input side of lines that do not say; 0 = not given
};

/// One block as the file has it.
struct ImportedRow {
  BlockKey key;
  double ms = 0;
  std::optional<double> std_ms;
  std::int64_t count = 0;  ///< 0 = not told
  std::string source;      ///< what tells twins apart: the `source` column, else the file
  std::string where;       ///< `file:line`
  friend bool operator==(const ImportedRow&, const ImportedRow&) = default;
};

/// One whole network as the file has it.
struct ImportedNet {
  std::string name;
  int resolution = 0;
  std::vector<BlockKey> keys;
  double ms = 0;
  std::string where;
  friend bool operator==(const ImportedNet&, const ImportedNet&) = default;
};

struct ImportedData {
  std::string device;  ///< as the file names it, "" = not told
  std::string runtime;
  int batch = 0;  ///< 0 = not told
  std::vector<ImportedRow> rows;
  std::vector<ImportedNet> nets;
};

/// A format of somebody else's latency file. All errors are kInput and name file, line, key or column, value and remedy
/// (latency.md §7); missing `--width`, `--batch` or `--column` is kUsage.
class Importer {
 public:
  virtual ~Importer() = default;
  virtual std::string_view name() const = 0;
  virtual ImportedData Import(const std::string& text, const std::string& source_name,
                              const ImportOptions& options) const = 0;
};

/// In the order of `builtin_importers.cpp`, the one list.
const std::vector<const Importer*>& BuiltinImporters();
/// Throws kUsage with the known names.
const Importer& FindImporter(std::string_view name);

/// `ms` 1, `us` 0.001, `s` 1000. Throws kUsage.
double MsPerUnit(std::string_view unit);

}  // namespace nas
