// SPDX-License-Identifier: Apache-2.0
#include "flag_set.h"

#include <algorithm>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas::cli {
namespace {

/// `--limit-per-class` is `limit_per_class` in files and in `--set`.
std::string KeyOf(const std::string& flag) {
  std::string key = flag;
  key.erase(0, key.find_first_not_of('-'));
  std::replace(key.begin(), key.end(), '-', '_');
  return key;
}

std::string Shown(double value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

[[noreturn]] void BadValue(const std::string& flag, const std::string& text, const std::string& legal) {
  ThrowUsage(StrCat(flag, " ", text.empty() ? "\"\"" : text, ": give ", legal));
}

template <typename Integer>
void ApplyInteger(const std::string& flag, Integer* value, const std::string& text) {
  long long number = 0;
  if (!ParseInt(text, &number) || (!std::is_signed_v<Integer> && number < 0) ||
      static_cast<long long>(static_cast<Integer>(number)) != number) {
    BadValue(flag, text, "a whole number");
  }
  *value = static_cast<Integer>(number);
}

std::string TextOf(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

}  // namespace

FlagSet::Setting& FlagSet::AddSetting(const std::string& flag, const std::string& metavar, Apply apply, Print print,
                                      const std::string& help) {
  auto setting = std::make_unique<Setting>();
  setting->key = KeyOf(flag);
  setting->flag = flag;
  setting->given = std::make_shared<std::vector<std::string>>();
  setting->apply = std::move(apply);
  setting->print = std::move(print);
  const std::string built_in = setting->print ? setting->print() : "";
  const std::string text = built_in.empty() ? help : StrCat(help, " [", built_in, "]");
  auto given = setting->given;
  setting->option = app_->add_option_function<std::vector<std::string>>(
      flag, [given](const std::vector<std::string>& values) { *given = values; }, text);
  setting->option->type_name(metavar)->group(group_)->allow_extra_args(false)->expected(1)->multi_option_policy(
      CLI::MultiOptionPolicy::TakeAll);
  settings_.push_back(std::move(setting));
  return *settings_.back();
}

void FlagSet::Add(const std::string& flag, std::string* value, const std::string& help) {
  AddSetting(
      flag, "TEXT", [value](const std::string& text) { *value = text; }, [value] { return *value; }, help);
}

void FlagSet::Add(const std::string& flag, int* value, const std::string& help) {
  AddSetting(
      flag, "N", [=](const std::string& text) { ApplyInteger(flag, value, text); },
      [value] { return std::to_string(*value); }, help);
}

void FlagSet::Add(const std::string& flag, std::int64_t* value, const std::string& help) {
  AddSetting(
      flag, "N", [=](const std::string& text) { ApplyInteger(flag, value, text); },
      [value] { return std::to_string(*value); }, help);
}

void FlagSet::Add(const std::string& flag, std::uint64_t* value, const std::string& help) {
  AddSetting(
      flag, "N", [=](const std::string& text) { ApplyInteger(flag, value, text); },
      [value] { return std::to_string(*value); }, help);
}

void FlagSet::Add(const std::string& flag, double* value, const std::string& help) {
  AddSetting(
      flag, "X",
      [=](const std::string& text) {
        if (!ParseDouble(text, value)) BadValue(flag, text, "a number");
      },
      [value] { return Shown(*value); }, help);
}

void FlagSet::AddSwitch(const std::string& flag, bool* value, const std::string& help) {
  auto setting = std::make_unique<Setting>();
  setting->key = KeyOf(flag);
  setting->flag = flag;
  setting->is_switch = true;
  setting->given = std::make_shared<std::vector<std::string>>();
  setting->apply = [=](const std::string& text) {
    if (text != "true" && text != "false") BadValue(flag, text, "true or false");
    *value = text == "true";
  };
  setting->print = [value] { return *value ? "true" : "false"; };
  auto given = setting->given;
  setting->option = app_->add_flag_function(
      flag, [given](std::int64_t count) { *given = {count > 0 ? "true" : "false"}; }, help);
  setting->option->group(group_);
  settings_.push_back(std::move(setting));
}

void FlagSet::AddOnOff(const std::string& flag, bool* value, const std::string& help) {
  AddSetting(
      flag, "on|off",
      [=](const std::string& text) {
        if (text != "on" && text != "off" && text != "true" && text != "false") BadValue(flag, text, "on or off");
        *value = text == "on" || text == "true";
      },
      [value] { return *value ? "on" : "off"; }, help);
}

void FlagSet::AddChoice(const std::string& flag, std::string* value, const std::vector<std::string>& choices,
                        const std::string& help) {
  AddSetting(
      flag, Join(choices, "|"),
      [=](const std::string& text) {
        if (std::find(choices.begin(), choices.end(), text) == choices.end()) {
          ThrowUsage(StrCat("unknown ", flag, " \"", text, "\"", DidYouMean(text, choices)));
        }
        *value = text;
      },
      [value] { return *value; }, help);
}

void FlagSet::AddList(const std::string& flag, std::vector<std::string>* values, const std::string& help) {
  Setting& setting = AddSetting(
      flag, "TEXT", [values](const std::string& text) { values->push_back(text); },
      [values] { return Join(*values, " "); }, help);
  setting.repeatable = true;
  setting.clear = [values] { values->clear(); };
}

void FlagSet::AddParsed(const std::string& flag, const std::string& metavar, Apply apply, Print print,
                        const std::string& help) {
  AddSetting(flag, metavar, std::move(apply), std::move(print), help);
}

void FlagSet::AddOptionalValue(const std::string& flag, std::string* value, const std::string& alone,
                               const std::string& help) {
  Setting& setting = AddSetting(
      flag, "[VALUE]", [value](const std::string& text) { *value = text; }, [value] { return *value; }, help);
  auto given = setting.given;
  setting.option->expected(0, 1)->default_str(alone);
  setting.option->each([given](const std::string&) {});
  setting.apply = [value, alone](const std::string& text) { *value = text.empty() || text == "true" ? alone : text; };
}

void FlagSet::Positional(const std::string& name, std::vector<std::string>* values, const std::string& help,
                         bool required) {
  CLI::Option* option = app_->add_option(name, *values, help);
  option->type_name("")->group("Arguments");
  option->expected(required ? 1 : 0, 1 << 20);
  if (required) option->required();
}

FlagSet& FlagSet::Sub(const std::string& name, const std::string& summary) {
  app_->require_subcommand(1);
  CLI::App* sub = app_->add_subcommand(name, summary);
  sub->fallthrough();
  subs_.push_back(std::make_unique<FlagSet>(sub));
  return *subs_.back();
}

std::string FlagSet::Called() const {
  for (const auto& sub : subs_) {
    if (sub->app()->parsed()) return sub->app()->get_name();
  }
  return "";
}

FlagSet::Setting* FlagSet::Find(const std::string& key) {
  for (auto& setting : settings_) {
    if (setting->key == key) return setting.get();
  }
  return nullptr;
}

std::vector<std::string> FlagSet::Keys() const {
  std::vector<std::string> keys;
  for (const auto& setting : settings_) keys.push_back(setting->key);
  return keys;
}

void FlagSet::ApplyValues(Setting& setting, const std::vector<std::string>& values, const std::string& origin) {
  if (!setting.repeatable && values.size() > 1) {
    ThrowUsage(StrCat(setting.flag, " is given ", values.size(), " times; give it once"));
  }
  if (setting.clear) setting.clear();
  for (const std::string& value : values) setting.apply(value);
  setting.origin = origin;
}

void FlagSet::Resolve(const std::string& config_file, const std::vector<std::string>& sets) {
  for (auto& sub : subs_) {
    if (sub->app()->parsed()) return sub->Resolve(config_file, sets);
  }
  if (!config_file.empty()) {
    const JsonDocument document = JsonDocument::Load(config_file);
    ObjectReader reader(document);
    for (auto& setting : settings_) {
      if (!reader.Has(setting->key)) {
        reader.Ignore(setting->key);
        continue;
      }
      const Json& value = reader.Raw(setting->key);
      std::vector<std::string> texts;
      if (value.is_array()) {
        for (const Json& item : value) texts.push_back(TextOf(item));
      } else {
        texts.push_back(TextOf(value));
      }
      try {
        ApplyValues(*setting, texts, config_file);
      } catch (const Error& error) {
        reader.Fail(setting->key, error.what());
      }
    }
    reader.Ignore("comment");
    reader.Finish();
  }
  for (const std::string& set : sets) {
    const std::size_t equals = set.find('=');
    if (equals == std::string::npos) ThrowUsage(StrCat("--set ", set, ": write it as --set key=value"));
    const std::string key = set.substr(0, equals);
    Setting* setting = Find(key);
    if (setting == nullptr) ThrowUsage(StrCat("--set: unknown key \"", key, "\"", DidYouMean(key, Keys())));
    ApplyValues(*setting,
                setting->repeatable ? Split(set.substr(equals + 1), ',') : std::vector{set.substr(equals + 1)},
                "--set");
  }
  for (auto& setting : settings_) {
    if (setting->option->count() == 0) continue;
    std::vector<std::string> values = *setting->given;
    if (values.empty()) values.push_back("");
    ApplyValues(*setting, values, "flag");
  }
}

std::string FlagSet::PrintConfig() const {
  for (const auto& sub : subs_) {
    if (sub->app()->parsed()) return sub->PrintConfig();
  }
  std::size_t width = 0;
  for (const auto& setting : settings_) width = std::max(width, setting->key.size());
  std::string text;
  for (const auto& setting : settings_) {
    text += StrCat(setting->key, std::string(width + 2 - setting->key.size(), ' '),
                   setting->print ? setting->print() : "", "  (", setting->origin, ")\n");
  }
  return text;
}

}  // namespace nas::cli
