// SPDX-License-Identifier: Apache-2.0
#include "search_account.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "nas/core/text.h"
#include "nas/latency/cost_table.h"

namespace nas {

Json SearchAccount::Epoch() const {
  const Schedule& schedule = setup_.schedule;
  const EpochMeter& meter = state_.meter;
  const auto images = static_cast<double>(meter.images);
  const auto done = static_cast<int>(state_.step / schedule.steps_per_epoch);
  Json line{{"event", "epoch"},
            {"epoch", done},
            {"step", state_.step},
            {"phase", done <= schedule.warmup_epochs ? "warm-up" : "search"},
            {"loss", meter.loss_sum / images},
            {"accuracy", meter.correct / images},
            {"lr", schedule.WeightLr(state_.step - 1)},
            {"images_per_s", images / meter.seconds},
            {"arch_s", meter.arch_seconds},
            {"weight_s", meter.seconds - meter.arch_seconds}};
  line["targets"] = Json::array();
  for (std::size_t t = 0; t < state_.targets.size(); ++t) {
    const TargetState& target = state_.targets[t];
    line["targets"].push_back({{"target", setup_.targets[t].label()},
                               {"expected", target.constraint.Expected(target.alphas)},
                               {"argmax", target.constraint.table().Cost(target.alphas.Argmax())},
                               {"lambda", target.constraint.lambda()},
                               {"entropy", target.alphas.Entropy()},
                               {"alpha", target.alphas.alpha()}});
  }
  return line;
}

std::string SearchAccount::Sentence(const Json& epoch) const {
  std::string text = StrCat("epoch ", epoch["epoch"].get<int>(), "/", setup_.schedule.epochs, " ",
                            epoch["phase"].get<std::string>(), ": loss ", Fixed(epoch["loss"].get<double>(), 3),
                            ", accuracy ", Fixed(100 * epoch["accuracy"].get<double>(), 1), " %");
  for (std::size_t t = 0; t < setup_.targets.size(); ++t) {
    const SearchTarget& target = setup_.targets[t];
    const Json& figures = epoch["targets"][t];
    text +=
        StrCat("; ", target.label(), ": expected ", CostToString(target.table.unit, figures["expected"].get<double>()));
    if (target.budget) text += " of " + CostToString(target.table.unit, *target.budget);
    text += StrCat(", λ ", Fixed(figures["lambda"].get<double>(), 2), ", entropy ",
                   Fixed(figures["entropy"].get<double>(), 1));
  }
  return text;
}

ProgressState SearchAccount::Progress() const {
  const Schedule& schedule = setup_.schedule;
  const EpochMeter& meter = state_.meter;
  const auto epoch = static_cast<int>(state_.step / schedule.steps_per_epoch);
  ProgressState look;
  look.phase = state_.step < schedule.warmup_steps() ? "warm-up" : "search";
  look.done = static_cast<double>(state_.step);
  look.total = static_cast<double>(schedule.total_steps());
  look.fields = {{"epoch", StrCat(std::min(epoch + 1, schedule.epochs), "/", schedule.epochs)}};
  if (meter.images > 0) {
    const auto images = static_cast<double>(meter.images);
    look.fields.emplace_back("loss", Fixed(meter.loss_sum / images, 3));
    look.fields.emplace_back("acc", Fixed(100 * meter.correct / images, 1) + " %");
    look.fields.emplace_back("img/s", Fixed(images / meter.seconds, 0));
  }
  for (std::size_t t = 0; t < state_.targets.size(); ++t) {
    const SearchTarget& target = setup_.targets[t];
    const TargetState& target_state = state_.targets[t];
    look.fields.emplace_back(target.request.name,
                             CostToString(target.table.unit, target_state.constraint.Expected(target_state.alphas)));
  }
  look.seconds_left = SecondsLeft();
  return look;
}

double SearchAccount::SecondsLeft() const {
  if (state_.step == 0) return -1;
  const Schedule& schedule = setup_.schedule;
  const auto cost = [&](double step) {
    const double main = std::max(0.0, step - static_cast<double>(schedule.warmup_steps()));
    const double arch_share = learns_alphas_ ? kArchImageCost / schedule.weight_steps_per_arch_step : 0;
    return step + main * arch_share;
  };
  const double done = cost(static_cast<double>(state_.step));
  return state_.wall_s / done * (cost(static_cast<double>(schedule.total_steps())) - done);
}

}  // namespace nas
