// SPDX-License-Identifier: Apache-2.0
#include "error_report.h"

#include <iostream>
#include <new>

#include <CLI/CLI.hpp>

#include "nas/core/error.h"
#include "nas/core/log.h"
#include "nas/core/text.h"

namespace nas::cli {
namespace {

/// The subcommand that the user was in, as deep as parsing came.
const CLI::App* Innermost(const CLI::App* app) {
  while (!app->get_subcommands().empty()) app = app->get_subcommands().back();
  return app;
}

std::vector<std::string> FlagNames(const CLI::App* app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app->get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
  }
  return names;
}

std::vector<std::string> VerbNames(const CLI::App* app) {
  std::vector<std::string> names;
  for (const CLI::App* sub : app->get_subcommands(nullptr)) names.push_back(sub->get_name());
  return names;
}

std::string FullName(const CLI::App* app) {
  return app->get_parent() == nullptr ? app->get_name() : FullName(app->get_parent()) + " " + app->get_name();
}

std::string Sentence(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* inner = Innermost(&app);
  const std::string help = StrCat("; see ", FullName(inner), " --help");
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    const std::vector<std::string> extras = app.remaining(true);
    if (extras.empty()) return error.what();
    const std::string word = extras.front().substr(0, extras.front().find('='));
    if (StartsWith(word, "-")) {
      const std::string near = NearestName(word, FlagNames(inner));
      return StrCat("unknown flag ", word, " of ", FullName(inner),
                    near.empty() ? help : StrCat("; did you mean ", near, "?"));
    }
    if (!inner->get_subcommands(nullptr).empty()) {
      return StrCat("unknown command \"", word, "\" of ", FullName(inner), DidYouMean(word, VerbNames(inner)));
    }
    return StrCat("unexpected argument \"", word, "\" of ", FullName(inner), help);
  }
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr && !inner->get_subcommands(nullptr).empty()) {
    for (const std::string& word : app.remaining(true)) {
      if (StartsWith(word, "-")) continue;
      return StrCat("unknown command \"", word, "\" of ", FullName(inner), DidYouMean(word, VerbNames(inner)));
    }
    return StrCat(FullName(inner), " needs a command: ", Join(VerbNames(inner), ", "));
  }
  return StrCat(FullName(inner), ": ", error.what(), help);
}

}  // namespace

std::string ParseErrorSentence(const CLI::App& app, const CLI::ParseError& error) { return Sentence(app, error); }

int ReportParseError(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) return app.exit(error, std::cout, std::cerr);  // --help
  LogError(Sentence(app, error));
  return ExitCode(ErrorKind::kUsage);
}

int ReportException(const std::exception& error, bool debug) {
  if (const auto* ours = dynamic_cast<const Error*>(&error)) {
    if (ours->kind() == ErrorKind::kCheckpointed) {
      LogInfo(ours->what());
    } else {
      LogError(ours->what());
    }
    return ExitCode(ours->kind());
  }
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) {
    LogError("out of memory; give a smaller --batch or --resolution");
    return ExitCode(ErrorKind::kInternal);
  }
  // Libraries append pages of backtrace behind the first line.
  const std::string text = error.what();
  LogError(StrCat("internal fault: ", debug ? text : text.substr(0, text.find('\n')),
                  debug ? "" : "; please report it with the output of the same command and --debug"));
  return ExitCode(ErrorKind::kInternal);
}

}  // namespace nas::cli
