// SPDX-License-Identifier: Apache-2.0
#include "submitted_command.h"

#include <algorithm>

#include <CLI/CLI.hpp>

#include "cmd_eval.h"
#include "cmd_search.h"
#include "cmd_train.h"
#include "error_report.h"
#include "flag_set.h"
#include "nas/core/error.h"
#include "nas/core/subprocess.h"
#include "nas/core/text.h"
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

std::string LastError(const std::string& err) {
  std::string last = "it gave no reason";
  for (const std::string& line : Split(err, '\n')) {
    if (StartsWith(line, "error: ")) last = line.substr(7);
  }
  return last;
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

void TryRun(const std::vector<std::string>& args, const Session& session) {
  if (args[0] == "eval") return;  // it has no dry run; the job itself says what is wrong
  SubprocessOptions options;
  options.argv = {(session.bin_dir / "nas").string()};
  if (session.bin_dir.filename() == "libexec")
    options.argv[0] = (session.bin_dir.parent_path() / "bin" / "nas").string();
  options.argv.insert(options.argv.end(), args.begin(), args.end());
  options.argv.insert(options.argv.end(), {"--dry-run"});
  options.deadline_s = kTrySeconds;
  const SubprocessResult result = RunSubprocess(options);
  if (result.exit_code == 0) return;
  const std::string reason = LastError(result.err);
  if (result.timed_out) ThrowInput(StrCat("trying the run took more than ", kTrySeconds, " s; give --no-check"));
  if (result.exit_code == ExitCode(ErrorKind::kInfeasible) && reason == "it gave no reason") {
    throw Error(ErrorKind::kInfeasible,
                StrCat("a target lies below what the space can reach; look with: nas ", Join(args, " "), " --dry-run"));
  }
  if (result.exit_code == ExitCode(ErrorKind::kUnavailable) && reason.find("--no-profile") != std::string::npos) {
    ThrowInput(StrCat(reason, "; or profile this machine first: nas profile-device"));
  }
  throw Error(KindOf(result.exit_code), reason);
}

}  // namespace nas::cli
