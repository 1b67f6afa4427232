// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace nas::cli {

/// One flag as completion and the manual need it.
struct CommandFlag {
  std::vector<std::string> names;  ///< "--quiet", "-q"
  std::string metavar;             ///< "" for switches
  std::string help;
  std::string group;
  std::vector<std::string> choices;  ///< legal values where there are few
  bool files = false;                ///< its value is a file or folder
  bool takes_value() const { return !metavar.empty(); }
};

/// A verb, or a command below one, read from the parser itself, so that nothing is written down twice.
struct CommandNode {
  std::string path;  ///< "nas space list"
  std::string name;
  std::string summary;
  std::string footer;  ///< examples and exit codes
  std::vector<CommandFlag> flags;
  std::string positional;  ///< "run", "" = none
  std::string positional_help;
  std::vector<CommandNode> commands;
};

/// Names that a flag takes besides files, known only at run time: spaces, targets.
struct CommandNames {
  std::vector<std::string> spaces;
  std::vector<std::string> targets;
};

CommandNode ReadCommandTree(const CLI::App& root, const CommandNames& names);

std::string BashCompletion(const CommandNode& root);
std::string ZshCompletion(const CommandNode& root);
std::string FishCompletion(const CommandNode& root);
/// The manual page nas(1), in man(7) macros.
std::string ManualPage(const CommandNode& root, const std::string& version, const std::string& date);

}  // namespace nas::cli
