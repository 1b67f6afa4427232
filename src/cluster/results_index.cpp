// SPDX-License-Identifier: Apache-2.0
#include "nas/cluster/results_index.h"

#include <sqlite3.h>

#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/json.h"
#include "nas/core/text.h"

namespace nas {
namespace fs = std::filesystem;
namespace {

constexpr const char* kTables = R"sql(
PRAGMA busy_timeout = 10000;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS runs(id TEXT PRIMARY KEY, sweep TEXT NOT NULL, args TEXT NOT NULL, state TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS targets(run TEXT NOT NULL, target TEXT NOT NULL, unit TEXT NOT NULL, asked REAL, predicted REAL,
  measured REAL, met INTEGER, top1 REAL, macs INTEGER, params INTEGER, code TEXT, PRIMARY KEY(run, target));
CREATE TABLE IF NOT EXISTS epochs(run TEXT NOT NULL, epoch INTEGER NOT NULL, phase TEXT, loss REAL, accuracy REAL,
  images_per_s REAL, PRIMARY KEY(run, epoch));
)sql";

/// A prepared statement; values are bound in the order of its question marks.
class Statement {
 public:
  Statement(sqlite3* db, const char* sql) : db_(db) {
    if (sqlite3_prepare_v2(db, sql, -1, &statement_, nullptr) != SQLITE_OK) Fail();
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& Bind(const std::string& value) {
    return Check(sqlite3_bind_text(statement_, ++bound_, value.c_str(), -1, SQLITE_TRANSIENT));
  }
  /// Numbers, truth values, text and null.
  Statement& Bind(const Json& value) {
    if (value.is_number_float()) return Check(sqlite3_bind_double(statement_, ++bound_, value.get<double>()));
    if (value.is_number()) return Check(sqlite3_bind_int64(statement_, ++bound_, value.get<std::int64_t>()));
    if (value.is_boolean()) return Check(sqlite3_bind_int(statement_, ++bound_, value.get<bool>() ? 1 : 0));
    if (value.is_string()) return Bind(value.get<std::string>());
    return Check(sqlite3_bind_null(statement_, ++bound_));
  }
  bool Step() {
    const int code = sqlite3_step(statement_);
    if (code != SQLITE_ROW && code != SQLITE_DONE) Fail();
    return code == SQLITE_ROW;
  }
  void Reset() {
    sqlite3_reset(statement_);
    bound_ = 0;
  }
  std::string Text(int column) const {
    const unsigned char* text = sqlite3_column_text(statement_, column);
    return text == nullptr ? "" : reinterpret_cast<const char*>(text);
  }
  double Number(int column) const { return sqlite3_column_double(statement_, column); }
  std::int64_t Int(int column) const { return sqlite3_column_int64(statement_, column); }
  std::optional<double> MaybeNumber(int column) const {
    if (sqlite3_column_type(statement_, column) == SQLITE_NULL) return std::nullopt;
    return Number(column);
  }

 private:
  Statement& Check(int code) {
    if (code != SQLITE_OK) Fail();
    return *this;
  }
  [[noreturn]] void Fail() { ThrowInput(StrCat("the index of results: ", sqlite3_errmsg(db_), "; delete the file")); }

  sqlite3* db_;
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
};

Json Get(const Json& object, const char* key) { return object.contains(key) ? object[key] : Json(nullptr); }

bool Exists(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

/// Targets as they were asked ("macs=50%"), in the order of result.json, which has only their names: one run may serve
/// several budgets of one name.
std::vector<std::string> Labels(const std::string& run, const Json& results) {
  std::vector<std::string> labels;
  const fs::path file = fs::path(run) / "config.json";
  if (Exists(file)) {
    const Json config = Json::parse(ReadFile(file), nullptr, /*allow_exceptions=*/false);
    const Json asked = config.is_object() ? Get(config, "targets") : Json(nullptr);
    if (asked.is_array()) {
      for (const Json& target : asked) {
        if (target.is_object()) labels.push_back(target.value("target", ""));
      }
    }
  }
  if (labels.size() == results.size()) return labels;
  labels.clear();
  for (const Json& target : results) {
    const Json number = Get(target, "asked");
    const std::string name = target.value("target", "");
    const bool bare = name.find('=') == std::string::npos;
    labels.push_back(bare && number.is_number() ? StrCat(name, "=", number.dump()) : name);
  }
  return labels;
}

void IngestTargets(sqlite3* db, const std::string& run) {
  const fs::path file = fs::path(run) / "result.json";
  if (!Exists(file)) return;
  const Json result = Json::parse(ReadFile(file), nullptr, /*allow_exceptions=*/false);
  if (!result.is_object() || !Get(result, "targets").is_array()) return;
  Statement insert(db, "INSERT OR REPLACE INTO targets VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  const std::vector<std::string> labels = Labels(run, result["targets"]);
  std::size_t index = 0;
  for (const Json& target : result["targets"]) {
    const Json selected = Get(target, "selected");
    const Json accuracy = Get(target, "accuracy");
    insert.Bind(run)
        .Bind(labels[index++])
        .Bind(Get(target, "unit"))
        .Bind(Get(target, "asked"))
        .Bind(Get(target, "predicted"))
        .Bind(Get(target, "measured"))
        .Bind(Get(target, "met"))
        .Bind(accuracy.is_object() ? Get(accuracy, "top1") : Json(nullptr))
        .Bind(Get(target, "macs"))
        .Bind(Get(target, "params"))
        .Bind(selected.is_object() ? Get(selected, "code") : Json(nullptr))
        .Step();
    insert.Reset();
  }
}

void IngestEpochs(sqlite3* db, const std::string& run) {
  const fs::path file = fs::path(run) / "metrics.jsonl";
  if (!Exists(file)) return;
  Statement insert(db, "INSERT OR REPLACE INTO epochs VALUES(?, ?, ?, ?, ?, ?)");
  for (const std::string& text : Split(ReadFile(file), '\n')) {
    if (text.find("\"epoch\"") == std::string::npos) continue;
    const Json line = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!line.is_object() || line.value("event", "") != "epoch") continue;
    insert.Bind(run)
        .Bind(Get(line, "epoch"))
        .Bind(Get(line, "phase"))
        .Bind(Get(line, "loss"))
        .Bind(Get(line, "accuracy"))
        .Bind(Get(line, "images_per_s"))
        .Step();
    insert.Reset();
  }
}

}  // namespace

ResultsIndex::ResultsIndex(const fs::path& file) {
  MakeDirectory(file.parent_path());
  if (sqlite3_open(file.c_str(), &db_) != SQLITE_OK) {
    const std::string reason = sqlite3_errmsg(db_);
    sqlite3_close(db_);
    db_ = nullptr;
    ThrowInput(StrCat("cannot open ", file.string(), ": ", reason));
  }
  try {
    Execute(kTables);
  } catch (const Error&) {
    sqlite3_close(db_);
    throw;
  }
}

ResultsIndex::~ResultsIndex() { sqlite3_close(db_); }

void ResultsIndex::Execute(const std::string& sql) {
  char* message = nullptr;
  if (sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, &message) == SQLITE_OK) return;
  const std::string reason = message == nullptr ? "unknown fault" : message;
  sqlite3_free(message);
  ThrowInput(StrCat("the index of results: ", reason, "; delete the file, it is built again"));
}

void ResultsIndex::Ingest(const std::string& sweep, const std::vector<SweepPoint>& points,
                          const std::vector<RunStatus>& statuses) {
  Execute("BEGIN IMMEDIATE");
  try {
    for (const char* sql : {"DELETE FROM targets WHERE run IN (SELECT id FROM runs WHERE sweep = ?)",
                            "DELETE FROM epochs WHERE run IN (SELECT id FROM runs WHERE sweep = ?)",
                            "DELETE FROM runs WHERE sweep = ?"}) {
      Statement(db_, sql).Bind(sweep).Step();
    }
    for (std::size_t i = 0; i < points.size(); ++i) {
      for (const char* sql : {"DELETE FROM targets WHERE run = ?", "DELETE FROM epochs WHERE run = ?"}) {
        Statement(db_, sql).Bind(points[i].run).Step();
      }
      const std::string state = i < statuses.size() ? statuses[i].state : "unknown";
      Statement(db_, "INSERT OR REPLACE INTO runs VALUES(?, ?, ?, ?)")
          .Bind(points[i].run)
          .Bind(sweep)
          .Bind(Json(points[i].args).dump())
          .Bind(state)
          .Step();
      IngestTargets(db_, points[i].run);
      IngestEpochs(db_, points[i].run);
    }
    Execute("COMMIT");
  } catch (...) {
    sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
    throw;
  }
}

std::vector<IndexedTarget> ResultsIndex::Targets(const std::string& sweep) const {
  Statement select(db_,
                   "SELECT run, target, unit, asked, predicted, measured, met, top1, macs, params, code FROM targets "
                   "WHERE run IN (SELECT id FROM runs WHERE sweep = ?) ORDER BY target, run");
  select.Bind(sweep);
  std::vector<IndexedTarget> targets;
  while (select.Step()) {
    targets.push_back({select.Text(0), select.Text(1), select.Text(2), select.MaybeNumber(3), select.Number(4),
                       select.MaybeNumber(5), select.Int(6) != 0, select.Number(7), select.Int(8), select.Int(9),
                       select.Text(10)});
  }
  return targets;
}

int ResultsIndex::Count(const std::string& table) const {
  if (table != "runs" && table != "targets" && table != "epochs") ThrowInternal("no such table: " + table);
  Statement select(db_, StrCat("SELECT count(*) FROM ", table).c_str());
  select.Step();
  return static_cast<int>(select.Int(0));
}

}  // namespace nas
