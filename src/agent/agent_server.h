// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "nas/device/agent_protocol.h"
#include "nas/device/engine.h"

namespace nas::agent {

/// What the server is lent.
struct ServerPlaces {
  int in = 0;           ///< file descriptor that the host's lines come from
  int out = 1;          ///< where answers go
  std::string hash;     ///< of the agent's program
  std::string journal;  ///< file that results are also appended to; "" = none
};

/// Answers one host by the protocol `nas.agent/1` (agent_protocol.h).
class AgentServer {
 public:
  /// Opens the engine that the host asks for; kUsage or kUnavailable when there is none.
  using OpenEngine = std::function<std::unique_ptr<Engine>(const AgentOpen& open)>;

  AgentServer(ServerPlaces places, OpenEngine open_engine);
  ~AgentServer();

  /// Until the host closes or its end of the pipe does. False when the host was refused.
  bool Serve();

 private:
  bool Hello();
  void Answer(const HostLine& line);
  void Measure(HostLine line);
  void Send(const AgentLine& line);
  void SendError(const std::string& id, const std::string& code, const std::string& message);
  bool NextLine(HostLine* line);  // false at the end
  bool HostAsksToStop();

  class Input;
  ServerPlaces places_;
  OpenEngine open_engine_;
  std::unique_ptr<Input> input_;
  std::unique_ptr<Engine> engine_;
  std::map<int, std::unique_ptr<PreparedItem>> prepared_;
  bool ended_ = false;
};

}  // namespace nas::agent
