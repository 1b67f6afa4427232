// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "nas/core/json.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace nas::cli {

/// The settings of one verb: each is a named flag, a key of the configuration file and of `--set`, and a place in an
/// option struct. Values are applied in the order of authority: built-in < `--config FILE` < `--set key=value` < named
/// flag.
class FlagSet {
 public:
  /// Reads one value from text into the option struct; throws kUsage with what is legal.
  using Apply = std::function<void(const std::string& text)>;
  /// The value now in the option struct, for `--print-config`.
  using Print = std::function<std::string()>;

  explicit FlagSet(CLI::App* app) : app_(app) {}

  /// Heading under which the next flags are shown in `--help`.
  void Group(const std::string& heading) { group_ = heading; }
  void Add(const std::string& flag, std::string* value, const std::string& help);
  void Add(const std::string& flag, int* value, const std::string& help);
  void Add(const std::string& flag, std::int64_t* value, const std::string& help);
  void Add(const std::string& flag, std::uint64_t* value, const std::string& help);
  void Add(const std::string& flag, double* value, const std::string& help);
  /// A flag without value; `key: true` in a configuration file.
  void AddSwitch(const std::string& flag, bool* value, const std::string& help);
  /// `on` or `off`.
  void AddOnOff(const std::string& flag, bool* value, const std::string& help);
  void AddChoice(const std::string& flag, std::string* value, const std::vector<std::string>& choices,
                 const std::string& help);
  /// Repeatable.
  void AddList(const std::string& flag, std::vector<std::string>* values, const std::string& help);
  /// A value with a unit, or anything else with its own reader. `shown` is the built-in value for people.
  void AddParsed(const std::string& flag, const std::string& metavar, Apply apply, Print print,
                 const std::string& help);
  /// A flag that may stand alone or as `--flag=value`.
  void AddOptionalValue(const std::string& flag, std::string* value, const std::string& alone, const std::string& help);
  void Positional(const std::string& name, std::vector<std::string>* values, const std::string& help, bool required);

  /// A command below this one (`space list`); its flags are resolved with it. Common flags may stand behind it.
  FlagSet& Sub(const std::string& name, const std::string& summary);
  /// Name of the command below that was called, "" = none.
  std::string Called() const;

  /// Applies file, `--set` and flags. Throws kUsage (flags, sets) or kInput (file, with line and JSON path).
  void Resolve(const std::string& config_file, const std::vector<std::string>& sets);
  /// `key value (where it came from)`, one line each.
  std::string PrintConfig() const;
  CLI::App* app() const { return app_; }

 private:
  struct Setting {
    std::string key;
    std::string flag;
    bool repeatable = false;
    bool is_switch = false;
    CLI::Option* option = nullptr;
    std::shared_ptr<std::vector<std::string>> given;
    Apply apply;
    Print print;
    std::function<void()> clear;  ///< repeatable: a higher layer replaces the lower one's list
    std::string origin = "built-in";
  };
  Setting& AddSetting(const std::string& flag, const std::string& metavar, Apply apply, Print print,
                      const std::string& help);
  void ApplyValues(Setting& setting, const std::vector<std::string>& values, const std::string& origin);
  Setting* Find(const std::string& key);
  std::vector<std::string> Keys() const;

  CLI::App* app_;
  std::string group_ = "Options";
  std::vector<std::unique_ptr<Setting>> settings_;
  std::vector<std::unique_ptr<FlagSet>> subs_;
};

}  // namespace nas::cli
