// SPDX-License-Identifier: Apache-2.0
#include "nas/device/local_identity.h"

#include <nlohmann/json.hpp>

#include "nas/core/machine.h"
#include "nas/core/text.h"

namespace nas {

Json LocalCpuIdentity(const EngineSetting& setting) {
  const MachineInfo machine = ProbeMachine();
  const auto known = [](const std::string& text) { return text.empty() ? std::string("unknown") : text; };
  return Json{{"class", "cpu"},
              {"vendor", known(machine.cpu_vendor)},
              {"model", known(machine.cpu_model)},
              {"soc", "none"},
              {"cores", StrCat(CoreIndices(setting.cores).size(), " x ", known(machine.cpu_model))},
              {"core_mask", ToString(setting.cores)},
              {"threads", setting.threads},
              {"precision", setting.precision},
              {"batch", setting.batch},
              {"os", known(machine.os)},
              {"engine", setting.engine},
              {"engine_version", setting.version},
              {"engine_build", setting.build},
              {"delegate", ""}};
}

}  // namespace nas
