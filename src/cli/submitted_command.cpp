// SPDX-License-Identifier: Apache-2.0
#include "submitted_command.h"

#include <algorithm>
#include <cmath>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cmd_eval.h"
#include "cmd_search.h"
#include "cmd_train.h"
#include "error_report.h"
#include "flag_set.h"
#include "nas/core/error.h"
#include "nas/core/subprocess.h"
#include "nas/core/text.h"
#include "nas/core/units.h"
#include "nas/latency/target_name.h"
#include "nas/search/search_options.h"
#include "nas/search/search_target.h"
#include "session_flags.h"
#include "verb.h"

namespace nas::cli {
namespace {

constexpr double kTrySeconds = 900;

const Verb kSubmitted[] = {{"search", "", ConfigureSearch}, {"train", "", ConfigureTrain}, {"eval", "", ConfigureEval}};

ErrorKind KindOf(int exit) {
  for (const ErrorKind kind : {ErrorKind::kUsage, ErrorKind::kInput, ErrorKind::kInfeasible, ErrorKind::kUnavailable}) {
    if (ExitCode(kind) == exit) return kind;
  }
  return ErrorKind::kInternal;
}

constexpr const char* kNoReason = "it gave no reason";

std::string LastError(const std::string& err) {
  std::string last = kNoReason;
  for (const std::string& line : Split(err, '\n')) {
    if (StartsWith(line, "error: ")) last = line.substr(7);
  }
  return last;
}

Trial ReadTrial(const std::string& out) {
  Trial trial;
  const Json json = Json::parse(out, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return trial;
  trial.step_s = json.value("step_s", 0.0);
  trial.checkpoint_bytes = 2 * sizeof(float) * json.value("parameters", 0.0);
  for (const Json& target : json.value("targets", Json::array())) {
    if (target.contains("table") && target["table"].is_string())
      trial.tables[target.value("folder", "")] = target["table"].get<std::string>();
  }
  return trial;
}

/// A sentence about the first target of a dry run that no network can meet.
std::string UnreachableTarget(const std::string& out) {
  const Json json = Json::parse(out, nullptr, /*allow_exceptions=*/false);
  if (json.is_object()) {
    for (const Json& target : json.value("targets", Json::array())) {
      if (target.value("reachable", true)) continue;
      const auto shown = [&](double value) {
        return target.value("unit", "") == "ms" ? ToString(Millis{value})
                                                : CountToString(static_cast<std::int64_t>(std::llround(value)));
      };
      const std::vector<double> range = target.value("range", std::vector<double>());
      if (range.size() == 2)
        return StrCat(target.value("target", ""), " cannot be met: the space reaches ", shown(range[0]), " to ",
                      shown(range[1]));
    }
  }
  return "a target lies below what the space can reach";
}

}  // namespace

SubmittedCommand TakeApart(const std::vector<std::string>& words) {
  if (words.empty()) ThrowUsage("nas submit needs a command after --, like: nas submit -- search --target macs=50%");
  std::vector<std::string> verbs;
  for (const Verb& verb : kSubmitted) verbs.push_back(verb.name);
  if (std::find(verbs.begin(), verbs.end(), words[0]) == verbs.end()) {
    ThrowUsage(StrCat("nas submit cannot run \"", words[0], "\"", DidYouMean(words[0], verbs)));
  }
  SubmittedCommand command;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--out") {
      if (i + 1 == words.size()) ThrowUsage("--out needs a folder");
      command.out = words[++i];
    } else if (StartsWith(word, "--out=")) {
      command.out = word.substr(6);
    } else if (word == "--resume=auto") {
      continue;  // every job has it
    } else if (word == "--resume" || StartsWith(word, "--resume=") || word == "--force" || word == "--dry-run") {
      ThrowUsage(StrCat(word, " has no place in a submitted command; to go on with a run: nas submit --resume RUN"));
    } else {
      command.args.push_back(word);
    }
  }
  while (command.out.size() > 1 && command.out.back() == '/') command.out.pop_back();
  return command;
}

void CheckFlags(const std::vector<std::string>& args) {
  CLI::App app;
  app.name("nas");
  app.require_subcommand(1);
  SessionFlags common;
  for (const Verb& verb : kSubmitted) {
    if (verb.name != args[0]) continue;
    CLI::App* sub = app.add_subcommand(verb.name, "");
    FlagSet flags(sub);
    verb.configure(flags);
    common.AddTo(sub);
    std::vector<std::string> reversed(args.rbegin(), args.rend());
    try {
      app.parse(reversed);
    } catch (const CLI::ParseError& error) {
      ThrowUsage(ParseErrorSentence(app, error));
    }
    flags.Resolve(common.config, common.set);
    return;
  }
}

Trial TryRun(const std::vector<std::string>& args, const Session& session) {
  if (args[0] == "eval") return {};  // it has no dry run; the job itself says what is wrong
  SubprocessOptions options;
  options.argv = {(session.bin_dir / "nas").string()};
  if (session.bin_dir.filename() == "libexec")
    options.argv[0] = (session.bin_dir.parent_path() / "bin" / "nas").string();
  options.argv.insert(options.argv.end(), args.begin(), args.end());
  options.argv.push_back("--dry-run");
  if (std::find(args.begin(), args.end(), "--json") == args.end()) options.argv.push_back("--json");
  options.deadline_s = kTrySeconds;
  const SubprocessResult result = RunSubprocess(options);
  if (result.exit_code == 0) return ReadTrial(result.out);
  const std::string reason = LastError(result.err);
  if (result.timed_out) ThrowInput(StrCat("trying the run took more than ", kTrySeconds, " s; give --no-check"));
  if (result.exit_code == ExitCode(ErrorKind::kInfeasible) && reason == kNoReason) {
    throw Error(ErrorKind::kInfeasible,
                StrCat(UnreachableTarget(result.out), "; look with: nas ", Join(args, " "), " --dry-run"));
  }
  if (result.exit_code == ExitCode(ErrorKind::kUnavailable) && reason.find("--no-profile") != std::string::npos) {
    ThrowInput(StrCat(reason, "; or profile this machine first: nas profile-device"));
  }
  throw Error(KindOf(result.exit_code), reason);
}

Trial NamedTables(const std::vector<std::string>& args, const Session& session) {
  Trial trial;
  if (args[0] != "search") return trial;
  std::string latency;
  std::vector<std::string> targets;
  for (std::size_t i = 1; i < args.size(); ++i) {
    const bool next = i + 1 < args.size();
    if (args[i] == "--target" && next) targets.push_back(args[i + 1]);
    if (StartsWith(args[i], "--target=")) targets.push_back(args[i].substr(9));
    if (args[i] == "--latency" && next) latency = args[i + 1];
    if (StartsWith(args[i], "--latency=")) latency = args[i].substr(10);
  }
  for (const std::string& text : targets) {
    const TargetRequest request = latency.empty() ? ParseTarget(text) : MakeTarget(text, latency);
    if (request.is_count()) continue;
    const TargetPlace place = ResolveTargetName(request.name, session.cache_dir, session.table_dirs);
    if (place.kind == TargetPlace::Kind::kOwnCpu || place.path.empty()) {
      ThrowInput(StrCat("--no-check with --target ", text, ": which table that means is found by trying the run; name ",
                        "the table instead (nas profile-device --out cpu.json, then --target cpu.json=", request.text,
                        ")"));
    }
    trial.tables[TargetFolder(request)] = place.path;
  }
  return trial;
}

}  // namespace nas::cli
