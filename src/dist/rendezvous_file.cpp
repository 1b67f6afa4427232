// SPDX-License-Identifier: Apache-2.0
#include "nas/dist/rendezvous_file.h"

#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/json.h"

namespace nas {
namespace {

constexpr const char* kSchema = "nas.rendezvous/1";
constexpr int kMostPorts = 65'535;

}  // namespace

void RendezvousFile::Publish(int port) const {
  MakeDirectory(run_);
  WriteFileAtomic(path(), PrettyDump({{"schema", kSchema}, {"key", key_}, {"port", port}}));
}

int RendezvousFile::Port() const {
  std::error_code ignored;
  if (!std::filesystem::exists(path(), ignored)) return 0;
  try {
    const Json json = Json::parse(ReadFile(path()), nullptr, /*allow_exceptions=*/false);
    if (!json.is_object() || json.value("schema", "") != kSchema || json.value("key", "") != key_) return 0;
    const int port = json.value("port", 0);
    return port > 0 && port <= kMostPorts ? port : 0;
  } catch (const Error&) {
    return 0;  // replaced meanwhile, or a share that is not there at the moment: looked at again
  } catch (const Json::exception&) {
    return 0;  // a value of another kind
  }
}

}  // namespace nas
