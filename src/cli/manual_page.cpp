// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "command_tree.h"
#include "nas/core/text.h"

namespace nas::cli {
namespace {

/// Text of a roff line: hyphens that may be typed, no accidental requests.
std::string Roff(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  if (!out.empty() && (out[0] == '.' || out[0] == '\'')) out = StrCat("\\&", out);
  return out;
}

/// Text in lines of at most 78 characters; roff joins and breaks them again.
std::string Lines(const std::string& text) {
  constexpr std::size_t kMost = 78;
  std::string out, line;
  const auto flush = [&] {
    if (!line.empty()) out += StrCat(Roff(line), "\n");
    line.clear();
  };
  for (const std::string& given : Split(text, '\n')) {
    for (const std::string& word : Split(Trim(given), ' ')) {
      // Escaped hyphens and Unicode count as they stand in the file.
      if (!line.empty() && Roff(line).size() + Roff(word).size() + 1 > kMost) flush();
      if (!word.empty()) line += StrCat(line.empty() ? "" : " ", word);
    }
    flush();
  }
  return out;
}

void AppendFlags(const CommandNode& node, bool common, std::string* out) {
  for (const CommandFlag& flag : node.flags) {
    if ((flag.group == "Common" || flag.names.front() == "--help") != common) continue;
    *out += ".TP\n.B ";
    for (std::size_t i = 0; i < flag.names.size(); ++i) *out += StrCat(i == 0 ? "" : ", ", Roff(flag.names[i]));
    if (flag.takes_value()) *out += StrCat(" \\fI", Roff(flag.metavar), "\\fR");
    *out += StrCat("\n", Lines(flag.help));
  }
}

void AppendNode(const CommandNode& node, std::string* out) {
  *out += StrCat(".SS \"", Roff(node.path), "\"\n", Lines(node.summary));
  if (!node.positional.empty()) *out += StrCat(".TP\n.I ", Roff(node.positional), "\n", Lines(node.positional_help));
  AppendFlags(node, /*common=*/false, out);
  // The examples; exit codes have a section of their own.
  const std::size_t from = node.footer.find("Examples:\n");
  if (from != std::string::npos) {
    const std::size_t start = from + 10, end = node.footer.find("\nExit codes:");
    *out += ".PP\nExamples:\n.PP\n.nf\n";
    for (const std::string& line : Split(node.footer.substr(start, end - start), '\n')) {
      if (!line.empty()) *out += StrCat("    ", Roff(Trim(line)), "\n");
    }
    *out += ".fi\n";
  }
  for (const CommandNode& child : node.commands) AppendNode(child, out);
}

}  // namespace

std::string ManualPage(const CommandNode& root, const std::string& version, const std::string& date) {
  std::string out = StrCat(".TH NAS 1 ", date, " \"nas ", version,
                           "\"\n.SH NAME\nnas \\- neural architecture search for the "
                           "hardware that the network will run on\n.SH SYNOPSIS\n.B nas\n.I command\n.RI [ flags ]\n"
                           ".SH DESCRIPTION\n",
                           Lines(root.summary), ".SH COMMANDS\n");
  for (const CommandNode& verb : root.commands) AppendNode(verb, &out);
  out += ".SH \"COMMON FLAGS\"\n";
  if (!root.commands.empty()) AppendFlags(root.commands.front(), /*common=*/true, &out);
  const std::pair<const char*, const char*> codes[] = {
      {"0", "done, constraint met"},
      {"1", "internal fault"},
      {"2", "usage: unknown flag, bad unit, missing argument"},
      {"3",
       "bad input or place: configuration, space, table, data set, checkpoint, existing or read-only folder, full "
       "disk"},
      {"4", "constraint infeasible, or missed when measured again"},
      {"5", "device, runtime or other part unavailable, or too noisy to give a figure"},
      {"6", "verification failed"},
      {"7", "training failed: diverged or collapsed"},
      {"75", "checkpointed; run again with --resume"},
      {"130", "stopped before a checkpoint"}};
  out += ".SH \"EXIT STATUS\"\n";
  for (const auto& [code, meaning] : codes) out += StrCat(".TP\n.B ", code, "\n", Lines(meaning));
  out +=
      ".SH ENVIRONMENT\n.TP\n.B NO_COLOR\nno colours when set\n.TP\n.B XDG_CACHE_HOME\nwhere profiles of devices are "
      "kept, "
      "by default ~/.cache\n.TP\n.B NAS_MALLOC\n\"default\" keeps the system's way of giving memory back\n";
  return out;
}

}  // namespace nas::cli
