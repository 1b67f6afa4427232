// SPDX-License-Identifier: Apache-2.0
// Lines of the agent, of its host and of a runtime of the user's own: read, or refused as bad input; what is read is
// written and read alike.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "nas/core/error.h"
#include "nas/device/agent_protocol.h"
#include "nas/device/command_engine.h"

namespace {

bool IsRefusal(const nas::Error& error) { return error.kind() == nas::ErrorKind::kInput; }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  try {
    const nas::AgentLine line = nas::ParseAgentLine(text);
    if (line.type == nas::AgentLine::Type::kHello && line.schema != nas::kAgentSchema) return 0;
    if (line.type == nas::AgentLine::Type::kRan && !(line.ms > 0)) std::abort();
    const std::string written = nas::ToText(line);
    if (nas::ToText(nas::ParseAgentLine(written)) != written) std::abort();
  } catch (const nas::Error& error) {
    if (!IsRefusal(error)) std::abort();
  }
  try {
    nas::ParseHostLine(text);
  } catch (const nas::Error& error) {
    if (!IsRefusal(error)) std::abort();
  }
  try {
    const nas::CommandLine line = nas::ParseCommandLine(text);
    if (line.type == nas::CommandLine::Type::kSample && !(line.ms > 0 && std::isfinite(line.ms))) std::abort();
  } catch (const nas::Error& error) {
    if (!IsRefusal(error)) std::abort();
  }
  return 0;
}
