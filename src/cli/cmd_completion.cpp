// SPDX-License-Identifier: Apache-2.0
#include "cmd_completion.h"

#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "command_tree.h"
#include "nas/core/clock.h"
#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/core/version.h"
#include "nas/latency/target_name.h"
#include "nas/space/search_space.h"

namespace nas::cli {

Run ConfigureCompletion(FlagSet& flags) {
  auto shell = std::make_shared<std::vector<std::string>>();
  flags.Positional("shell", shell.get(), "bash, zsh or fish; man for the manual page", true);
  SetExamples(flags,
              "  source <(nas completion bash)            # also for zsh; fish: nas completion fish | source\n"
              "  nas completion man > nas.1 && man ./nas.1");
  return [shell, app = flags.app()](const Session& session) {
    const std::string& name = shell->front();
    if (shell->size() != 1) ThrowUsage("nas completion takes one shell");
    CommandNames names{SearchSpace::List(session.space_dirs), KnownTargets(session.cache_dir, session.table_dirs)};
    for (const char* count : {"macs", "params"}) names.targets.emplace_back(count);
    const CommandNode root = ReadCommandTree(*app->get_parent(), names);
    std::string text;
    if (name == "bash") {
      text = BashCompletion(root);
    } else if (name == "zsh") {
      text = ZshCompletion(root);
    } else if (name == "fish") {
      text = FishCompletion(root);
    } else if (name == "man") {
      text = ManualPage(root, kVersion, NowIso8601().substr(0, 10));
    } else {
      ThrowUsage(StrCat("unknown shell \"", name, "\"", DidYouMean(name, {"bash", "zsh", "fish", "man"})));
    }
    if (session.json) {
      session.PrintJson({{"schema", "nas.completion/1"}, {"shell", name}, {"text", text}});
    } else {
      session.Print(text);
    }
    return 0;
  };
}

}  // namespace nas::cli
