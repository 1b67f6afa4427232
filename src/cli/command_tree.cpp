// SPDX-License-Identifier: Apache-2.0
#include "command_tree.h"

#include <algorithm>
#include <set>

#include <CLI/CLI.hpp>

#include "nas/core/text.h"

namespace nas::cli {
namespace {

/// Flags whose value is a path, whatever their metavar says.
bool TakesPath(const std::string& flag, const std::string& metavar) {
  static const std::set<std::string> paths{"--out",      "--data",  "--data-dir", "--arch", "--weights",
                                           "--supernet", "--archs", "--run",      "--from", "--python"};
  return metavar == "FILE" || metavar == "DIR" || paths.count(flag) > 0;
}

/// `a|b|c` in the metavar, or at the head of the help text.
std::vector<std::string> ChoicesOf(const std::string& metavar, const std::string& help) {
  for (const std::string& text : {metavar, help.substr(0, help.find(' '))}) {
    if (text.find('|') != std::string::npos && text.find('[') == std::string::npos) return Split(text, '|');
  }
  return {};
}

CommandFlag ReadFlag(const CLI::Option& option, const CommandNames& names) {
  CommandFlag flag;
  for (const std::string& name : option.get_lnames()) flag.names.push_back("--" + name);
  for (const std::string& name : option.get_snames()) flag.names.push_back("-" + name);
  flag.help = option.get_description();
  flag.group = option.get_group();
  if (option.get_items_expected_max() > 0)
    flag.metavar = option.get_type_name().empty() ? "TEXT" : option.get_type_name();
  flag.choices = ChoicesOf(flag.metavar, flag.help);
  const std::string first = flag.names.front();
  flag.files = flag.choices.empty() && TakesPath(first, flag.metavar);
  if (first == "--space") {
    flag.choices = names.spaces;
    flag.files = true;
  } else if (first == "--target") {
    flag.choices = names.targets;
    flag.files = true;
  } else if (first == "--data") {
    flag.choices = {"demo"};
  }
  return flag;
}

CommandNode ReadNode(const CLI::App& app, const std::string& path, const CommandNames& names) {
  CommandNode node;
  node.path = path;
  node.name = app.get_name();
  node.summary = app.get_description();
  node.footer = app.get_footer();
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_lnames().empty() && option->get_snames().empty()) {
      node.positional = option->get_name(/*positional=*/true);
      node.positional_help = option->get_description();
    } else {
      node.flags.push_back(ReadFlag(*option, names));
    }
  }
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App* one) { return !one->get_name().empty(); }))
    node.commands.push_back(ReadNode(*sub, StrCat(path, " ", sub->get_name()), names));
  return node;
}

}  // namespace

CommandNode ReadCommandTree(const CLI::App& root, const CommandNames& names) { return ReadNode(root, "nas", names); }

}  // namespace nas::cli
