// SPDX-License-Identifier: Apache-2.0
#include "session_flags.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/log.h"
#include "nas/core/machine.h"
#include "nas/core/text.h"
#include "verb.h"

namespace nas::cli {

void SessionFlags::AddTo(CLI::App* app) {
  const std::string group = "Common";
  app->add_flag("--json", json, "print exactly one JSON object (JSON Lines where there are several) on stdout")
      ->group(group);
  app->add_option("--config", config, "settings from a JSON file with comments; flags win")
      ->type_name("FILE")
      ->group(group);
  app->add_option("--set", set, "one setting, over the file: --set epochs=12")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false)
      ->group(group);
  app->add_flag("--print-config", print_config, "show every setting and where its value came from, then stop")
      ->group(group);
  app->add_option("--seed", seed, "fixes everything that is random [0]")->type_name("N")->group(group);
  app->add_option("--threads", threads, "processors to use [all that this process may use]")
      ->type_name("N")
      ->group(group);
  app->add_option("--progress", progress, "auto|bar|plain|none|json [auto]")->type_name("STYLE")->group(group);
  app->add_option("--color", color, "auto|always|never [auto]")->type_name("WHEN")->group(group);
  app->add_option("--log-file", log_file, "also write the full log there")->type_name("FILE")->group(group);
  app->add_flag("-q,--quiet", quiet, "only errors and results")->group(group);
  app->add_flag("-v,--verbose", verbose, "more detail")->group(group);
  app->add_flag("--debug", debug, "backtraces with faults")->group(group);
}

void SessionFlags::Apply(Session* session) const {
  const std::map<std::string, ProgressStyle> styles{{"auto", ProgressStyle::kAuto},
                                                    {"bar", ProgressStyle::kBar},
                                                    {"plain", ProgressStyle::kPlain},
                                                    {"none", ProgressStyle::kNone},
                                                    {"json", ProgressStyle::kJson}};
  const auto style = styles.find(progress);
  if (style == styles.end()) {
    ThrowUsage(StrCat("unknown --progress \"", progress, "\"",
                      DidYouMean(progress, {"auto", "bar", "plain", "none", "json"})));
  }
  if (color != "auto" && color != "always" && color != "never") {
    ThrowUsage(StrCat("unknown --color \"", color, "\"", DidYouMean(color, {"auto", "always", "never"})));
  }
  if (threads < 0) ThrowUsage(StrCat("--threads ", threads, ": give 1 or more"));
  session->json = json;
  session->quiet = quiet;
  session->verbose = verbose;
  session->debug = debug;
  session->log_file = log_file;
  session->progress_style = quiet && progress == "auto" ? ProgressStyle::kNone : style->second;
  session->threads = threads > 0 ? threads : std::max(1, ProbeMachine().cores);
  session->threads_given = threads > 0;
  session->seed = seed;
  const char* no_color = std::getenv("NO_COLOR");
  session->color =
      color == "always" || (color == "auto" && (no_color == nullptr || *no_color == '\0') && isatty(STDERR_FILENO));

  LogOptions log;
  log.console = quiet ? LogLevel::kError : verbose || debug ? LogLevel::kDebug : LogLevel::kInfo;
  log.color = session->color;
  log.file = log_file;
  ConfigureLog(log);
}

void LocatePlaces(Session* session) {
  std::error_code ignored;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", ignored);
  session->bin_dir = self.parent_path();
  // bin/nas and libexec/nas-torch both stand one folder below the place that holds share/.
  const std::filesystem::path shipped = session->bin_dir.parent_path() / "share" / "nas";
  session->space_dirs = {(shipped / "search_spaces").string()};
  session->table_dirs = {(shipped / "latency_tables").string()};
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  if (cache != nullptr && *cache != '\0') {
    session->cache_dir = std::string(cache) + "/nas";
  } else {
    session->cache_dir =
        (home != nullptr && *home != '\0' ? std::string(home) + "/.cache" : std::string("/tmp")) + "/nas";
  }
}

void Session::PrintJson(const Json& value) const { std::cout << value.dump() << '\n' << std::flush; }

void Session::Print(const std::string& text) const {
  std::cout << text;
  if (!text.empty() && text.back() != '\n') std::cout << '\n';
  std::cout << std::flush;
}

void SetExamples(FlagSet& flags, const std::string& examples) {
  flags.app()->footer(
      StrCat("Examples:\n", examples,
             "\nExit codes: 0 done, constraint met; 2 usage; 3 bad input or place; 4 constraint infeasible or "
             "missed;\n5 device or part unavailable; 6 verification failed; 7 training failed; 75 checkpointed "
             "(--resume goes on); 1 internal fault"));
}

}  // namespace nas::cli
