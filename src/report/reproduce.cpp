// SPDX-License-Identifier: Apache-2.0
#include "reproduce.h"

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "json_look.h"
#include "nas/core/subprocess.h"
#include "nas/core/text.h"

namespace nas::detail {
namespace {

/// Values that say "as built in"; a flag with one of them says nothing.
bool IsDefault(const std::string& key, const std::string& value) {
  static const std::set<std::string> defaults{"",
                                              "0",
                                              "0.0",
                                              "-1",
                                              "-1.0",
                                              "auto",
                                              "false",
                                              "strategy=two",
                                              "loss=dual",
                                              "prune=true",
                                              "tolerance=0.05",
                                              "width_mult=1.0",
                                              "momentum=0.9",
                                              "label_smoothing=0.1",
                                              "weight_decay=4e-05",
                                              "checkpoint_every_s=600.0"};
  return defaults.count(value) > 0 || defaults.count(StrCat(key, "=", value)) > 0;
}

std::string TextOf(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

}  // namespace

std::string ReproduceCommand(const RunRecord& run) {
  const Json& options = LookObject(*run.config, "options");
  std::string command = StrCat("nas ", run.kind == RunKind::kSearch ? "search" : "train");
  for (const auto& [key, value] : options.items()) {
    std::string flag = key;
    std::replace(flag.begin(), flag.end(), '_', '-');
    if (key == "seed" || key == "checkpoint_every_s") continue;
    for (const Json& item : value.is_array() ? value : Json::array({value})) {
      const std::string text = TextOf(item);
      if (item.is_object() || IsDefault(key, text)) continue;
      if (item.is_boolean()) {
        // The one switch that is on by default is written on|off.
        command += key == "prune" ? " --prune off" : StrCat(" --", flag);
      } else if (key == "tolerance") {
        command += StrCat(" --tolerance ", 100 * item.get<double>(), "%");
      } else {
        command += StrCat(" --", flag, " ", ShellQuote(text));
      }
    }
  }
  return StrCat(command, " --seed ", static_cast<std::int64_t>(LookNumber(options, "seed", 0)));
}

}  // namespace nas::detail
