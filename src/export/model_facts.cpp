// SPDX-License-Identifier: Apache-2.0
#include "model_facts.h"

#include <nlohmann/json.hpp>

#include "nas/core/version.h"

namespace nas {

Json ToJson(const ImageSteps& steps) {
  return {{"color", "RGB"},
          {"resize_short", steps.resize_short},
          {"resize", "bilinear, antialiased"},
          {"center_crop", steps.crop},
          {"scale", "0..1"},
          {"mean", steps.mean},
          {"std", steps.std},
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
