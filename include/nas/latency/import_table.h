// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "nas/latency/importer.h"
#include "nas/latency/latency_table.h"

namespace nas {

/// Twins (rows of one key) of different sources become one row: count-weighted mean, total variance. Throws kInput on
/// twins of one source, and, unless `force`, on twins more than 10 % apart. Sorted by key.
std::vector<ImportedRow> MergeTwins(std::vector<ImportedRow> rows, bool force);

/// Throws kInput when the times cannot be milliseconds of this class of device: the median of MACs per ms of the whole
/// batch lies outside 0.2…2,000 (CPU) or 1…30,000 (GPU) million, or one row's beyond 30× from the table's median.
void CheckPlausible(const ImportedData& data, const DeviceIdentity& identity);

struct ImportTableOptions {
  std::string name;
  DeviceIdentity identity;  ///< the file's batch wins; its device and runtime fill unknown model and engine
  Provenance provenance;
  std::string created;  ///< ISO 8601
  bool force = false;   ///< merge twins however far apart
};

/// Checks, merges and fits: a table that can be used at once. `warnings`: rows beyond 3× from the fitted model.
LatencyTable MakeTable(ImportedData data, const ImportTableOptions& options, std::vector<std::string>* warnings);

/// Appends another file of the same device. Throws kInput when device, runtime or batch differ.
void AppendData(ImportedData other, ImportedData* data);

/// Rows as the CSV that `csv` imports: import, export and import again give the same rows.
std::string ExportCsv(const LatencyTable& table);
/// Whole networks as JSON Lines that `nets-jsonl` imports. Throws kInput for a network that is not stem, mbconvs and
/// one of the two heads of that format.
std::string ExportNetsJsonl(const LatencyTable& table);

}  // namespace nas
