// SPDX-License-Identifier: Apache-2.0
#include "export_model.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "key_layers.h"
#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/subprocess.h"
#include "nas/core/text.h"

namespace nas::detail {
namespace {

constexpr double kExportSeconds = 120;

Architecture NetworkOf(const MeasureItem& item) {
  if (item.network) return *item.network;
  Architecture architecture;
  architecture.resolution = item.resolution;
  for (std::size_t i = 0; i < item.keys.size(); ++i) {
    const std::vector<Layer> layers = LayersOfKey(ParseBlockKey(item.keys[i]), StrCat("blocks.", i));
    architecture.layers.insert(architecture.layers.end(), layers.begin(), layers.end());
  }
  return architecture;
}

}  // namespace

std::string ExportOnnx(const MeasureItem& item, const std::string& folder, const std::string& program) {
  const std::filesystem::path place = folder;
  const std::string architecture = (place / "arch.json").string();
  WriteFileAtomic(architecture, ToJson(NetworkOf(item)).dump());
  SubprocessOptions run;
  run.argv = {program, "export", "--arch", architecture, "--format", "onnx", "--out", (place / "export").string(),
              "-q"};
  run.deadline_s = kExportSeconds;
  const SubprocessResult result = RunSubprocess(run);
  const std::string model = (place / "export" / "model.onnx").string();
  if (result.exit_code != 0 || !std::filesystem::exists(model)) {
    throw Error(ErrorKind::kUnavailable,
                StrCat("no ONNX file of ", item.id, ": \"", program, " export\" ended with code ", result.exit_code,
                       ": ", Trim(result.err)));
  }
  return model;
}

}  // namespace nas::detail
