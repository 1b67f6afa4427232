// SPDX-License-Identifier: Apache-2.0
// `nas-agent`: the small measuring program for phones and boards. It speaks the protocol of agent_protocol.h on stdin
// and stdout; stderr is for people.
#include <signal.h>

#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "agent_server.h"
#include "graph_engine.h"
#include "nas/core/error.h"
#include "nas/core/hash.h"
#include "nas/core/machine.h"
#include "nas/core/text.h"
#include "nas/core/version.h"
#include "self_test.h"

namespace nas::agent {
namespace {

constexpr const char* kHelp =
    "nas-agent: runs networks on this device for `nas profile-device`, which starts it.\n"
    "  nas-agent [--journal FILE]   speaks nas.agent/1 on stdin and stdout; results are also appended to FILE\n"
    "  nas-agent --selftest         every operation of every engine against plain loops\n"
    "  nas-agent --version\n";

std::unique_ptr<Engine> Open(const AgentOpen& open, const std::string& hash) {
  std::vector<EngineEntry> engines;
  for (const Backend& backend : AllBackends()) {
    engines.push_back({backend.name, [backend, hash](const EngineOptions& options) -> std::unique_ptr<Engine> {
                         return std::make_unique<GraphEngine>(backend, options, hash);
                       }});
  }
  engines.push_back(FindEngine(BuiltinEngines(), "simulated"));
  return FindEngine(engines, open.engine).make(open.options);
}

int SelfTest() {
  bool passed = true;
  for (const int threads : {1, 2}) {
    for (const SelfTestCase& result : RunSelfTest(AllBackends(), threads)) {
      passed = passed && result.passed;
      std::cout << (result.passed ? "ok   " : "FAIL ") << result.backend << " threads " << threads << " " << result.key
                << " error " << result.error << "\n";
    }
  }
  return passed ? 0 : ExitCode(ErrorKind::kVerification);
}

std::string OwnHash(const char* program) {
  try {
    return HashFile(program).substr(0, 16);
  } catch (const Error&) {
    return "";  // started by a bare name through PATH
  }
}

int Main(int argc, char** argv) {
  ServerPlaces places;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--version") {
      std::cout << "nas-agent " << kVersion;
      for (const Backend& backend : AllBackends()) std::cout << ", " << backend.name << " " << backend.version;
      std::cout << "\n";
      return 0;
    }
    if (word == "--selftest") return SelfTest();
    if (word == "--help") {
      std::cout << kHelp;
      return 0;
    }
    if (word == "--journal" && i + 1 < argc) {
      places.journal = argv[++i];
    } else {
      ThrowUsage(StrCat("nas-agent does not know \"", word, "\"; see nas-agent --help"));
    }
  }
  places.hash = OwnHash(argv[0]);
  AgentServer server(places, [&](const AgentOpen& open) { return Open(open, places.hash); });
  return server.Serve() ? 0 : ExitCode(ErrorKind::kUnavailable);
}

}  // namespace
}  // namespace nas::agent

int main(int argc, char** argv) {
  nas::KeepLargeBuffers();
  ::signal(SIGPIPE, SIG_IGN);  // a host that went away is noticed where lines are written
  try {
    return nas::agent::Main(argc, argv);
  } catch (const nas::Error& error) {
    std::cerr << "nas-agent: " << error.what() << "\n";
    return nas::ExitCode(error.kind());
  } catch (const std::exception& error) {
    std::cerr << "nas-agent: " << error.what() << "\n";
    return nas::ExitCode(nas::ErrorKind::kInternal);
  }
}
