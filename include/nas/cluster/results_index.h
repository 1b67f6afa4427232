// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nas/cluster/run_status.h"
#include "nas/cluster/sweep.h"

struct sqlite3;

namespace nas {

/// One target of one finished run, as result.json tells it.
struct IndexedTarget {
  std::string run;
  std::string target;  ///< label: "cpu=5ms"
  std::string unit;    ///< "ms", "macs", "params"
  std::optional<double> asked;
  double predicted = 0;
  std::optional<double> measured;
  bool met = false;
  double top1 = 0;
  std::int64_t macs = 0;
  std::int64_t params = 0;
  std::string code;  ///< one digit per searched edge
};

/// A SQLite index over the JSON files of many runs, which stay the truth: it can be deleted and built again at any
/// time. Tables: runs(id, sweep, args, state), targets(run, target, …), epochs(run, epoch, …). One process writes it;
/// it lies on a local file system (SQLite does not bear shared ones).
class ResultsIndex {
 public:
  /// Opens or makes the file. Throws kInput when it cannot be written.
  explicit ResultsIndex(const std::filesystem::path& file);
  ~ResultsIndex();
  ResultsIndex(const ResultsIndex&) = delete;
  ResultsIndex& operator=(const ResultsIndex&) = delete;

  /// Reads the runs' result.json and metrics.jsonl; what was known of these runs is replaced: reading twice gives the
  /// same rows.
  void Ingest(const std::string& sweep, const std::vector<SweepPoint>& points, const std::vector<RunStatus>& statuses);

  std::vector<IndexedTarget> Targets(const std::string& sweep) const;
  /// Number of rows of a table, for tests and `-v`.
  int Count(const std::string& table) const;

 private:
  void Execute(const std::string& sql);
  sqlite3* db_ = nullptr;
};

/// Where the index lies: in the user's cache, or under the temporary folder when the cache is on a shared file system.
std::filesystem::path ResultsIndexPath(const std::filesystem::path& cache_dir, const std::filesystem::path& temp_dir);

/// "nfs", "lustre", "gpfs", "ext4", "tmpfs", …, and whether several machines can see it.
struct FileSystemKind {
  std::string name;
  bool shared = false;
};
FileSystemKind FileSystemOf(const std::filesystem::path& path);

}  // namespace nas
