// SPDX-License-Identifier: Apache-2.0
#include "remote_transport.h"

#include <filesystem>
#include <utility>

#include "agent_bundle.h"
#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas::detail {

SubprocessResult RunWords(std::vector<std::string> argv, double seconds, std::string input) {
  SubprocessOptions options;
  options.argv = std::move(argv);
  options.deadline_s = seconds;
  options.input = std::move(input);
  return RunSubprocess(options);
}

RemoteTransport::RemoteTransport(std::string address, AgentPlaces places)
    : address_(std::move(address)), places_(std::move(places)) {}

void RemoteTransport::ThrowUnreachable(const SubprocessResult& result) const {
  const std::string words = Join(Split(Trim(result.err.empty() ? result.out : result.err), '\n'), "; ");
  throw Error(ErrorKind::kUnavailable, StrCat("cannot reach ", address_, ": ",
                                              result.timed_out ? "no answer in time"
                                              : words.empty()  ? StrCat("exit code ", result.exit_code)
                                                               : words,
                                              "; ", Remedy()));
}

std::string RemoteTransport::Ask(const std::string& command) {
  const SubprocessResult result = Shell(command);
  if (result.timed_out || result.exit_code != 0) ThrowUnreachable(result);
  return Trim(result.out);
}

std::vector<std::string> RemoteTransport::AgentCommand() {
  const AgentBundle bundle = FindBundle(places_, Ask("uname -m"));
  const std::string folder = StrCat(Root(), "/nas-", bundle.hash);
  const std::string marker = StrCat(folder, "/complete");
  if (Ask(StrCat("test -f ", marker, " && echo there || echo absent")) != "there") {
    Ask(StrCat("mkdir -p ", folder));
    for (const std::string& file : bundle.files) {
      const SubprocessResult pushed = Push(file, StrCat(folder, "/", std::filesystem::path(file).filename().string()));
      if (pushed.timed_out || pushed.exit_code != 0) ThrowUnreachable(pushed);
    }
    Ask(StrCat("chmod 755 ", folder, "/* && touch ", marker));
  }
  return Interactive(StrCat("cd ", folder, " && exec ", bundle.start, " --journal results.jsonl"));
}

}  // namespace nas::detail
