// SPDX-License-Identifier: Apache-2.0
#include "program.h"

#include "nas/core/files.h"
#include "nas/core/subprocess.h"
#include "nas/core/text.h"
#include "support/catch_compat.h"

namespace nas::test {
namespace {

std::vector<std::string> CommandLine(const std::vector<std::string>& arguments) {
  static const TempDir cache;
  std::vector<std::string> argv{"env", "XDG_CACHE_HOME=" + cache.path().string(), "NO_COLOR=1",
                                std::string(NAS_BINARY_DIR) + "/bin/nas"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return argv;
}

}  // namespace

nlohmann::ordered_json Outcome::json() const {
  const auto parsed = nlohmann::ordered_json::parse(out, nullptr, /*allow_exceptions=*/false);
  INFO("stdout: " << out << "\nstderr: " << err);
  REQUIRE_FALSE(parsed.is_discarded());
  return parsed;
}

Outcome RunNas(const std::vector<std::string>& arguments, const std::string& input) {
  SubprocessOptions options;
  options.argv = CommandLine(arguments);
  options.input = input;
  options.deadline_s = 600;
  const SubprocessResult result = RunSubprocess(options);
  return {result.exit_code, result.out, result.err};
}

Outcome RunNasAndKill(const std::vector<std::string>& arguments, double seconds, int signal) {
  SubprocessOptions options;
  options.argv = {"timeout", "--preserve-status", "-s", StrCat(signal), Fixed(seconds, 2)};
  const std::vector<std::string> command = CommandLine(arguments);
  options.argv.insert(options.argv.end(), command.begin(), command.end());
  options.deadline_s = 600;
  const SubprocessResult result = RunSubprocess(options);
  return {result.exit_code, result.out, result.err};
}

}  // namespace nas::test
