// SPDX-License-Identifier: Apache-2.0
// `nas predictor list`: everything that can stand behind --target.
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/machine.h"
#include "nas/core/subprocess.h"
#include "nas/core/table_printer.h"
#include "nas/core/text.h"
#include "nas/latency/target_name.h"
#include "predictor_report.h"

namespace nas::cli {
namespace {

struct Listed {
  std::string name, kind, what, date, error;
  bool this_machine = false;
};

std::string CertifiedError(const LatencyTable& table) {
  if (!table.certificate || table.certificate->splits.empty()) return "no certificate";
  const SplitReport& r = table.certificate->splits.front();
  return StrCat(Fixed(r.mape, 1), " % (", r.split, ", n = ", r.n, ")");
}

Listed Describe(const std::string& name, const std::string& path, const std::string& kind, const MachineInfo& machine) {
  Listed listed{name, kind, "", "", "", false};
  try {
    const LatencyTable table = LoadTable(path);
    listed.what = StrCat(table.identity.model == "unknown" ? table.identity.device_class : table.identity.model, ", ",
                         table.identity.engine, ", batch ", table.identity.batch);
    listed.date = table.created.substr(0, 10);
    listed.error = CertifiedError(table);
    listed.this_machine = kind == "cached" && table.identity.model == machine.cpu_model;
  } catch (const Error& error) {
    listed.what = StrCat("unreadable: ", error.what());
  }
  return listed;
}

/// Serial numbers of phones that adb sees; none without adb.
std::vector<std::string> AttachedPhones() {
  std::vector<std::string> serials;
  if (FindProgram("adb").empty()) return serials;
  SubprocessOptions options;
  options.argv = {"adb", "devices"};
  options.deadline_s = 5;
  const SubprocessResult result = RunSubprocess(options);
  if (result.exit_code != 0) return serials;
  for (const auto& line : Split(result.out, '\n')) {
    const std::vector<std::string> fields = Split(Trim(line), '\t');
    if (fields.size() == 2 && fields[1] == "device") serials.push_back(fields[0]);
  }
  return serials;
}

std::vector<Listed> ListTargets(const Session& session) {
  const MachineInfo machine = ProbeMachine();
  const std::string cache = (std::filesystem::path(session.cache_dir) / "latency").string() + "/";
  std::vector<Listed> list;
  const std::vector<std::string>& aliases = TargetAliases();
  for (const auto& name : KnownTargets(session.cache_dir, session.table_dirs)) {
    try {
      const TargetPlace place = ResolveTargetName(name, session.cache_dir, session.table_dirs);
      const bool alias = std::find(aliases.begin(), aliases.end(), name) != aliases.end();
      if (place.kind == TargetPlace::Kind::kOwnCpu) {
        list.push_back({name, "alias", "own profile of this machine's CPU, made on first use", "", "", true});
      } else if (place.kind == TargetPlace::Kind::kOwnGpu) {
        list.push_back(
            {name, "alias", "own profile of this machine's GPU; without one the Titan RTX table", "", "", false});
      } else if (alias) {
        list.push_back({name, "alias", std::filesystem::path(place.path).stem().string(), "", "", false});
      } else {
        list.push_back(Describe(name, place.path, StartsWith(place.path, cache) ? "cached" : "shipped", machine));
      }
    } catch (const Error& error) {
      list.push_back({name, "alias", error.what(), "", "", false});
    }
  }
  for (const auto& serial : AttachedPhones())
    list.push_back({"adb:" + serial, "phone", "attached; measure it with profile-device", "", "", false});
  return list;
}

}  // namespace

std::string ListText(const Session& session) {
  TablePrinter table({"target", "kind", "device", "made", "error", "notes"});
  for (const auto& l : ListTargets(session)) {
    table.AddRow({l.name, l.kind, l.what, l.date, l.error, l.this_machine ? "this machine" : ""});
  }
  return table.ToString(session.color);
}

Json ListJson(const Session& session) {
  Json json{{"schema", "nas.predictor/1"}, {"targets", Json::array()}};
  for (const auto& l : ListTargets(session)) {
    json["targets"].push_back({{"name", l.name},
                               {"kind", l.kind},
                               {"device", l.what},
                               {"made", l.date},
                               {"error", l.error},
                               {"this_machine", l.this_machine}});
  }
  return json;
}

}  // namespace nas::cli
