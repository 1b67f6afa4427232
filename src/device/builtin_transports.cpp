// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/device/transport.h"
#include "remote_transport.h"

namespace nas {
namespace {

// The agent as a program of this machine.
class LocalTransport final : public Transport {
 public:
  explicit LocalTransport(AgentPlaces places) : places_(std::move(places)) {}
  std::string name() const override { return "this machine"; }
  std::vector<std::string> AgentCommand() override {
    std::error_code ignored;
    if (!std::filesystem::exists(places_.program, ignored)) {
      throw Error(ErrorKind::kUnavailable,
                  StrCat("the measuring program is not at \"", places_.program, "\"; build it with scripts/setup"));
    }
    return {places_.program};
  }

 private:
  AgentPlaces places_;
};

const TransportEntry& FindTransport(const std::string& address) {
  std::vector<std::string> forms;
  for (const TransportEntry& entry : BuiltinTransports()) {
    if (entry.accepts(address)) return entry;
    forms.push_back(entry.form);
  }
  ThrowUsage(StrCat("--transport \"", address, "\" is not known; known: ", Join(forms, ", ")));
}

}  // namespace

const std::vector<TransportEntry>& BuiltinTransports() {
  static const std::vector<TransportEntry> transports{
      {"local", [](const std::string& address) { return address == "local"; },
       [](const std::string&, const AgentPlaces& places) -> std::unique_ptr<Transport> {
         return std::make_unique<LocalTransport>(places);
       }},
      {"ssh://[user@]host[:port]", [](const std::string& address) { return StartsWith(address, "ssh://"); },
       detail::MakeSshTransport},
      {"adb:SERIAL", [](const std::string& address) { return StartsWith(address, "adb:"); }, detail::MakeAdbTransport},
  };
  return transports;
}

std::unique_ptr<Transport> MakeTransport(const std::string& address, const AgentPlaces& places) {
  return FindTransport(address).make(address, places);
}

void CheckTransport(const std::string& address) { FindTransport(address); }

}  // namespace nas
