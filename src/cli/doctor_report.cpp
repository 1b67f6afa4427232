// SPDX-License-Identifier: Apache-2.0
#include "doctor_report.h"

#include <algorithm>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "cluster_checks.h"
#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/machine.h"
#include "nas/core/subprocess.h"
#include "nas/core/table_printer.h"
#include "nas/core/text.h"
#include "nas/core/units.h"

namespace nas::cli {
namespace {

DoctorCheck CheckPlace(const std::string& name, const std::string& path) {
  try {
    MakeDirectory(path);
    CheckWritable(path);
  } catch (const Error& error) {
    return {name, "warning", error.what(), "give another place, or make it writable"};
  }
  std::error_code ignored;
  const auto space = std::filesystem::space(path, ignored);
  const bool low = !ignored && space.available < (std::uintmax_t{1} << 30);
  return {name, low ? "warning" : "ok",
          StrCat(path, ", ", ignored ? "?" : ToString(Bytes{static_cast<std::int64_t>(space.available)}), " free"),
          low ? "free some space: a run folder takes up to 200 MiB" : ""};
}

/// Latency tables of this machine and others that were measured or imported into the cache.
DoctorCheck CheckProfiles(const std::string& cache_dir) {
  std::error_code ignored;
  int tables = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(cache_dir) / "latency", ignored))
    tables += entry.path().extension() == ".json" ? 1 : 0;
  if (tables > 0) return {"profiles", "ok", StrCat(tables, " latency tables in the cache"), ""};
  return {"profiles", "missing", "no latency table of this machine yet",
          "made by the first search with --target cpu, or: nas profile-device"};
}

/// Phones that adb sees now.
DoctorCheck CheckPhones() {
  SubprocessOptions options;
  options.argv = {"adb", "devices"};
  options.deadline_s = 5;
  const SubprocessResult result = RunSubprocess(options);
  std::vector<std::string> ready, waiting;
  for (const std::string& line : Split(result.out, '\n')) {
    const std::size_t tab = line.find('\t');
    if (tab != std::string::npos) (Trim(line.substr(tab)) == "device" ? ready : waiting).push_back(line.substr(0, tab));
  }
  if (!waiting.empty())
    return {"phones", "warning", Join(waiting, ", ") + " does not allow debugging yet",
            "unlock it and allow USB debugging"};
  if (!ready.empty()) return {"phones", "ok", Join(ready, ", "), ""};
  return {"phones", "missing", "none connected", "connect one by USB with debugging on"};
}

DoctorCheck CheckProgram(const std::string& program, const std::string& use, const std::string& package) {
  const std::string path = FindProgram(program);
  return {program, path.empty() ? "missing" : "ok", path.empty() ? "not on PATH; " + use : path,
          path.empty() ? "apt-get install " + package : ""};
}

}  // namespace

std::vector<DoctorCheck> CheckMachine(const Session& session) {
  const MachineInfo machine = ProbeMachine();
  std::vector<DoctorCheck> checks;
  checks.push_back({"processor", "ok", StrCat(machine.cpu_model, ", ", machine.cores, " usable"), ""});
  const auto has = [&](const char* feature) {
    return std::find(machine.features.begin(), machine.features.end(), feature) != machine.features.end();
  };
  checks.push_back({"instructions", has("avx2") || has("neon") ? "ok" : "warning", Join(machine.features, " "),
                    has("avx2") || has("neon") ? "" : "training will be slow without AVX2"});
  checks.push_back({"memory", "ok", ToString(Bytes{machine.memory_bytes}), ""});
  const double mhz = CpuMegahertz(0);
  const std::string clock = mhz > 0 ? StrCat(", ", Fixed(mhz, 0), " MHz now") : "";
  const bool governed = machine.governor.empty() || machine.governor == "performance";
  checks.push_back({"frequency", governed ? "ok" : "warning",
                    StrCat(machine.governor.empty() ? "governor not told by the system" : machine.governor, clock),
                    governed ? "" : "measure with: cpupower frequency-set -g performance"});
  const bool busy = machine.load_average > 0.5 * std::max(1, machine.cores);
  checks.push_back({"load", busy ? "warning" : "ok", Fixed(machine.load_average, 2),
                    busy ? "other work disturbs measurements" : ""});
  checks.push_back(CheckPlace("cache", session.cache_dir));
  checks.push_back(CheckProfiles(session.cache_dir));
  checks.push_back(CheckPlace("here", std::filesystem::current_path().string()));
  checks.push_back(CheckProgram("ssh", "needed to measure boards", "openssh-client"));
  checks.push_back(CheckProgram("adb", "needed to measure phones", "adb"));
  if (checks.back().status == "ok") checks.push_back(CheckPhones());
  for (DoctorCheck& check : CheckCluster()) checks.push_back(std::move(check));
  return checks;
}

int PrintDoctor(const std::vector<DoctorCheck>& checks, const Session& session) {
  const bool ok = std::none_of(checks.begin(), checks.end(),
                               [](const DoctorCheck& c) { return c.name == "LibTorch" && c.status != "ok"; });
  if (session.json) {
    Json json{{"schema", "nas.doctor/1"}, {"ok", ok}, {"checks", Json::array()}};
    for (const DoctorCheck& c : checks) {
      json["checks"].push_back({{"name", c.name}, {"status", c.status}, {"detail", c.detail}, {"remedy", c.remedy}});
    }
    session.PrintJson(json);
  } else {
    TablePrinter table({"check", "status", "found", "what to do"});
    for (const DoctorCheck& c : checks) table.AddRow({c.name, c.status, c.detail, c.remedy});
    session.Print(table.ToString(session.color));
  }
  return ok ? 0 : ExitCode(ErrorKind::kUnavailable);
}

}  // namespace nas::cli
