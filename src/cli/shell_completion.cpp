// SPDX-License-Identifier: Apache-2.0
#include <functional>

#include "command_tree.h"
#include "nas/core/text.h"

namespace nas::cli {
namespace {

void ForEachNode(const CommandNode& node, const std::function<void(const CommandNode&)>& use) {
  use(node);
  for (const CommandNode& child : node.commands) ForEachNode(child, use);
}

std::string AllFlags(const CommandNode& node) {
  std::vector<std::string> names;
  for (const CommandFlag& flag : node.flags) names.insert(names.end(), flag.names.begin(), flag.names.end());
  return Join(names, " ");
}

std::string AllCommands(const CommandNode& node) {
  std::vector<std::string> names;
  for (const CommandNode& child : node.commands) names.push_back(child.name);
  return Join(names, " ");
}

/// Every character that `special` holds gets `prefix` before it; line breaks become blanks.
std::string Guarded(const std::string& text, const std::string& special, const std::string& prefix) {
  std::string out;
  for (const char c : text) {
    if (special.find(c) != std::string::npos) out += prefix;
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string ZshText(const std::string& text) {
  std::string out;
  for (const char c : Guarded(text, "[]:\\", "\\")) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out;
}

std::string FishText(const std::string& text) { return StrCat("'", Guarded(text, "'\\", "\\"), "'"); }

std::string ZshValue(const CommandFlag& flag) {
  std::string action;
  if (!flag.choices.empty() && flag.files) {
    action = StrCat("_alternative \"names:name:(", Join(flag.choices, " "), ")\" \"files:file:_files\"");
  } else if (!flag.choices.empty()) {
    action = StrCat("(", Join(flag.choices, " "), ")");
  } else if (flag.files) {
    action = "_files";
  }
  return StrCat(":", ZshText(flag.metavar), ":", action);
}

void AppendZshFunction(const CommandNode& node, const std::string& function, std::string* out) {
  for (const CommandNode& child : node.commands)
    AppendZshFunction(child, StrCat(function, "_", Guarded(child.name, "-", "_")), out);
  *out += StrCat(function,
                 "() {\n  local curcontext=\"$curcontext\" state line\n  local -a commands\n  _arguments -C \\\n");
  for (const CommandFlag& flag : node.flags) {
    for (const std::string& name : flag.names)
      *out += StrCat("    '*", name, "[", ZshText(flag.help), "]", flag.takes_value() ? ZshValue(flag) : "", "' \\\n");
  }
  if (node.commands.empty()) {
    *out += "    '*:file:_files'\n}\n";
    return;
  }
  *out += "    '1: :->command' '*:: :->rest'\n  case $state in\n    command)\n      commands=(\n";
  for (const CommandNode& child : node.commands)
    *out += StrCat("        '", child.name, ":", ZshText(child.summary), "'\n");
  *out += "      )\n      _describe command commands ;;\n    rest)\n      case $words[1] in\n";
  for (const CommandNode& child : node.commands)
    *out += StrCat("        ", child.name, ") ", function, "_", Guarded(child.name, "-", "_"), " ;;\n");
  *out += "      esac ;;\n  esac\n}\n";
}

}  // namespace

std::string BashCompletion(const CommandNode& root) {
  std::string paths, values, words;
  ForEachNode(root, [&](const CommandNode& node) {
    if (&node != &root) paths += StrCat(paths.empty() ? "" : "|", "\"", node.path, "\"");
    words +=
        StrCat("    \"", node.path, "\") flags=\"", AllFlags(node), "\"; commands=\"", AllCommands(node), "\" ;;\n");
    for (const CommandFlag& flag : node.flags) {
      if (!flag.takes_value()) continue;
      for (const std::string& name : flag.names) {
        values += StrCat("    \"", node.path, " ", name, "\") names=\"", Join(flag.choices, " "),
                         "\"; files=", flag.files ? "1" : "0", "; value=1 ;;\n");
      }
    }
  });
  return StrCat(
      "# bash completion of nas; load it with: source <(nas completion bash)\n"
      "_nas() {\n"
      "  local cur=\"${COMP_WORDS[COMP_CWORD]}\" prev=\"${COMP_WORDS[COMP_CWORD-1]}\" path=nas i\n"
      "  local flags=\"\" commands=\"\" names=\"\" files=0 value=0\n"
      "  # --flag=value comes as three words.\n"
      "  if [[ $cur == = ]]; then cur=\"\"; elif [[ $prev == = ]]; then prev=\"${COMP_WORDS[COMP_CWORD-2]}\"; fi\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    case \"$path ${COMP_WORDS[i]}\" in\n      ",
      paths,
      ") path=\"$path ${COMP_WORDS[i]}\" ;;\n    esac\n  done\n"
      "  COMPREPLY=()\n"
      "  case \"$path $prev\" in\n",
      values,
      "  esac\n"
      "  if ((value)); then\n"
      "    [[ -n $names ]] && COMPREPLY=($(compgen -W \"$names\" -- \"$cur\"))\n"
      "    if ((files)); then COMPREPLY+=($(compgen -f -- \"$cur\")); compopt -o filenames 2>/dev/null; fi\n"
      "    return 0\n"
      "  fi\n"
      "  case \"$path\" in\n",
      words,
      "  esac\n"
      "  if [[ $cur == -* ]]; then\n    COMPREPLY=($(compgen -W \"$flags\" -- \"$cur\"))\n"
      "  elif [[ -n $commands ]]; then\n    COMPREPLY=($(compgen -W \"$commands\" -- \"$cur\"))\n"
      "  else\n    COMPREPLY=($(compgen -f -- \"$cur\")); compopt -o filenames 2>/dev/null\n  fi\n"
      "  return 0\n}\n"
      "complete -F _nas nas\n");
}

std::string ZshCompletion(const CommandNode& root) {
  std::string out = "#compdef nas\n# zsh completion of nas; load it with: source <(nas completion zsh)\n";
  AppendZshFunction(root, "_nas", &out);
  // As a file of $fpath the function is called at once; when sourced it is registered.
  return out + "if [ \"$funcstack[1]\" = \"_nas\" ]; then _nas \"$@\"; else compdef _nas nas; fi\n";
}

std::string FishCompletion(const CommandNode& root) {
  std::string out = "# fish completion of nas; load it with: nas completion fish | source\ncomplete -c nas -f\n";
  const auto add = [&](const std::string& condition, const CommandNode& node) {
    for (const CommandFlag& flag : node.flags) {
      out += StrCat("complete -c nas -n ", FishText(condition));
      for (const std::string& name : flag.names)
        out += name[1] == '-' ? " -l " + name.substr(2) : " -s " + name.substr(1);
      if (flag.takes_value()) out += flag.files ? " -r -F" : " -x";
      if (!flag.choices.empty()) out += StrCat(" -a ", FishText(Join(flag.choices, " ")));
      out += StrCat(" -d ", FishText(flag.help), "\n");
    }
    if (node.commands.empty()) out += StrCat("complete -c nas -n ", FishText(condition), " -F\n");
  };
  for (const CommandNode& verb : root.commands) {
    out += StrCat("complete -c nas -n __fish_use_subcommand -a ", verb.name, " -d ", FishText(verb.summary), "\n");
    const std::string seen = "__fish_seen_subcommand_from " + verb.name;
    add(seen, verb);
    const std::string subs = AllCommands(verb);
    for (const CommandNode& sub : verb.commands) {
      out += StrCat("complete -c nas -n ", FishText(StrCat(seen, "; and not __fish_seen_subcommand_from ", subs)),
                    " -a ", sub.name, " -d ", FishText(sub.summary), "\n");
      add(StrCat(seen, "; and __fish_seen_subcommand_from ", sub.name), sub);
    }
  }
  return out;
}

}  // namespace nas::cli
