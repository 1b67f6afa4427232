// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "nas/device/engine.h"

namespace nas {

/// How a device is reached: brings `nas-agent` there and starts it.
class Transport {
 public:
  virtual ~Transport() = default;
  /// As users write it: `local`, `ssh://pi@board`, `adb:R58M123`.
  virtual std::string name() const = 0;
  /// The command of this machine whose stdin and stdout are the agent's. The agent is copied to the device first where
  /// it is absent. Throws kUnavailable when the device cannot be reached or has no agent.
  virtual std::vector<std::string> AgentCommand() = 0;
};

/// A kind of transport.
struct TransportEntry {
  std::string form;  ///< for people: "ssh://[user@]host[:port]"
  std::function<bool(const std::string& address)> accepts;
  /// Throws kUsage for an address that is not complete.
  std::function<std::unique_ptr<Transport>(const std::string& address, const AgentPlaces& places)> make;
};

const std::vector<TransportEntry>& BuiltinTransports();
/// Throws kUsage with the legal forms.
std::unique_ptr<Transport> MakeTransport(const std::string& address, const AgentPlaces& places);
/// Throws kUsage unless some transport takes the address.
void CheckTransport(const std::string& address);

}  // namespace nas
