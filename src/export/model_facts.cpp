// SPDX-License-Identifier: Apache-2.0
#include "model_facts.h"

#include <cmath>

#include <nlohmann/json.hpp>

#include "nas/core/version.h"

namespace nas {
namespace {

/// 0.485 as it was written, not as the nearest float reads in double.
Json Decimals(const std::array<float, 3>& values) {
  Json list = Json::array();
  for (const float value : values) list.push_back(std::round(static_cast<double>(value) * 1e6) / 1e6);
  return list;
}

}  // namespace

Json ToJson(const ImageSteps& steps) {
  return {{"color", "RGB"},
          {"resize_short", steps.resize_short},
          {"resize", "bilinear, antialiased"},
          {"center_crop", steps.crop},
          {"scale", "0..1"},
          {"mean", Decimals(steps.mean)},
          {"std", Decimals(steps.std)},
          {"layout", "NCHW"}};
}

namespace detail {

std::map<std::string, std::string> ModelFacts(const ExportModel& model) {
  std::map<std::string, std::string> facts{{"nas.schema", "nas.weights/1"},
                                           {"nas.version", kVersion},
                                           {"nas.arch", ToJson(model.network->architecture()).dump()},
                                           {"nas.weights", model.weights},
                                           {"nas.preprocessing", ToJson(model.image_steps).dump()},
                                           {"nas.postprocessing", "softmax over logits; index into nas.class_names"}};
  if (!model.class_names.empty()) facts["nas.class_names"] = Json(model.class_names).dump();
  return facts;
}

}  // namespace detail
}  // namespace nas
