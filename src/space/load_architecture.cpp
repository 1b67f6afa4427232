// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/space/architecture.h"
#include "ops/op_rules.h"

namespace nas {
namespace {

/// "image_size" of the training configuration beside a published network; 0 when there is none.
int ImageSizeBeside(const std::filesystem::path& net_config) {
  const std::filesystem::path file = net_config.parent_path() / "run.config";
  if (!std::filesystem::exists(file)) return 0;
  const JsonDocument document = JsonDocument::Load(file.string());
  ObjectReader reader(document);  // the other keys are training settings of other programs: not checked
  return static_cast<int>(reader.Int("image_size", 1, detail::kMaxSide, 0));
}

bool IsNetConfig(const Json& root) {
  return root.is_object() && root.contains("name") && !root.contains("schema") && !root.contains("arch_def");
}

Architecture FromAnyJson(const JsonDocument& document, int resolution) {
  const Json& root = document.root();
  if (IsNetConfig(root)) return ArchitectureFromNetConfig(document, resolution);
  if (root.is_object() && root.contains("schema")) return ArchitectureFromJson(document);
  if (root.is_object() && root.contains("arch_def")) return ArchitectureFromTimm(document);
  ThrowInput(StrCat(document.source(),
                    ": no network description; an object with \"schema\": \"nas.architecture/1\", a net.config with the"
                    " \"name\" of its class, or timm's \"arch_def\" is needed"));
}

}  // namespace

Architecture ArchitectureFromAnyJson(const JsonDocument& document) { return FromAnyJson(document, 0); }

Architecture LoadArchitecture(const std::string& path) {
  std::filesystem::path file = path;
  if (std::filesystem::is_directory(file)) {
    const std::filesystem::path own = file / "arch.json";
    file = std::filesystem::exists(own) ? own : file / "net.config";
    if (!std::filesystem::exists(file)) {
      ThrowInput(StrCat("folder ", path, " holds neither arch.json nor net.config; name a file with a network"));
    }
  }
  const JsonDocument document = JsonDocument::Load(file.string());
  const bool needs_resolution = IsNetConfig(document.root()) && !document.root().contains("resolution");
  Architecture architecture = FromAnyJson(document, needs_resolution ? ImageSizeBeside(file) : 0);
  if (architecture.name.empty()) {
    // Published files are all called net.config: there the folder says which network it is.
    const bool generic =
        file.filename() == "net.config" || file.filename() == "arch.json" || file.filename() == "arch.timm";
    const std::filesystem::path whole = std::filesystem::absolute(file);
    architecture.name = generic ? whole.parent_path().filename().string() : whole.stem().string();
  }
  return architecture;
}

}  // namespace nas
