// SPDX-License-Identifier: Apache-2.0
#include "nas/search/ranking_forecast.h"

#include <catch2/catch.hpp>

#include <nlohmann/json.hpp>

#include "search_host_test.h"

namespace nas {
namespace {

RankingForecast Forecast(std::int64_t images, int epochs) {
  ScheduleInput input;
  input.train_images = images;
  input.carve_out_images = images / 10;
  input.epochs = epochs;
  return ForecastRanking(DeriveSchedule(input), test::Space("macro-cifar"));
}

}  // namespace

TEST_CASE("the ranking forecast counts the images of each candidate and names the epochs that would do", "[search]") {
  const RankingForecast few = Forecast(45000, 3);
  CHECK(few.images_per_candidate == Approx(45000).epsilon(0.01));
  CHECK_FALSE(few.enough);
  CHECK(few.epochs_enough > 3);
  CHECK(few.text.find(std::to_string(few.epochs_enough) + " epochs would be enough") != std::string::npos);

  const RankingForecast many = Forecast(45000, few.epochs_enough);
  CHECK(many.enough);
  CHECK(many.tau > few.tau);
  CHECK_FALSE(Forecast(45000, few.epochs_enough - 1).enough);
}

TEST_CASE("the ranking forecast of a handful of images is no ranking at all", "[search]") {
  const RankingForecast none = Forecast(300, 2);
  CHECK(none.tau == 0);
  CHECK(none.text.find("too few") != std::string::npos);
  CHECK(ToJson(none).at("enough") == false);
}

}  // namespace nas
