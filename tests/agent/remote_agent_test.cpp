// SPDX-License-Identifier: Apache-2.0
// The agent over a real sshd on the loopback interface, and as an aarch64 program over a fake adb that runs it under
// qemu-user. Each test says so and skips where its tools are missing.
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <thread>

#include "../device/engine_contract.h"
#include "agent_fixture.h"
#include "nas/core/line_process.h"
#include "nas/core/log.h"
#include "nas/core/subprocess.h"
#include "nas/profile/profiler.h"
#include "support/catch_compat.h"

using namespace nas;

namespace {

std::unique_ptr<Engine> Open(const std::string& engine, const EngineOptions& options) {
  return FindEngine(BuiltinEngines(), engine).make(options);
}

int Run(const std::vector<std::string>& argv) {
  SubprocessOptions options;
  options.argv = argv;
  options.deadline_s = 60;
  return RunSubprocess(options).exit_code;
}

// An sshd of this user on a port of its own, with keys of its own.
class LoopbackSshd {
 public:
  LoopbackSshd() {
    const std::string sshd = !FindProgram("sshd").empty() ? FindProgram("sshd") : FindProgram("/usr/sbin/sshd");
    if (sshd.empty() || FindProgram("ssh").empty() || FindProgram("ssh-keygen").empty()) {
      why_ = "openssh-server is not installed";
      return;
    }
    const std::string home = dir_.path().string();
    for (const char* key : {"host", "user"})
      Run({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", home + "/" + key});
    if (Run({"cp", home + "/user.pub", home + "/authorized"}) != 0) {
      why_ = "ssh-keygen makes no keys here";
      return;
    }
    if (::geteuid() == 0) MakeDirectory("/run/sshd");
    port_ = std::to_string(20000 + ::getpid() % 20000);
    WriteFileAtomic(home + "/sshd.conf", StrCat("ListenAddress 127.0.0.1\nHostKey ", home, "/host\nAuthorizedKeysFile ",
                                                home, "/authorized\nPidFile none\nStrictModes no\nUsePAM no\n",
                                                "SetEnv XDG_CACHE_HOME=", home, "/far\n"));
    WriteFileAtomic(home + "/ssh.conf",
                    StrCat("Host *\n  IdentityFile ", home, "/user\n  IdentitiesOnly yes\n",
                           "  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n  LogLevel ERROR\n"));
    server_ = std::make_unique<LineProcess>(
        std::vector<std::string>{sshd, "-f", home + "/sshd.conf", "-D", "-e", "-p", port_});
    for (int i = 0; i < 50; ++i) {
      if (Run({"ssh", "-F", config(), "-oBatchMode=yes", "-p", port_, "127.0.0.1", "true"}) == 0) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      std::string line;
      server_->Read(0, &line);
    }
    why_ = StrCat("sshd does not let this user in: ", server_->errors());
  }

  const std::string& why() const { return why_; }
  std::string config() const { return (dir_.path() / "ssh.conf").string(); }
  std::string address() const { return StrCat("ssh://127.0.0.1:", port_); }
  std::filesystem::path far_folder() const { return dir_.path() / "far" / "nas-agent"; }
  EngineOptions Options() const {
    EngineOptions options = test::LocalOptions();
    options.transport = address();
    options.agent.ssh_config = config();
    return options;
  }

 private:
  TempDir dir_;
  std::string port_, why_;
  std::unique_ptr<LineProcess> server_;
};

std::vector<std::filesystem::path> FilesBelow(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, ignored)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  return files;
}

// An `adb` first on PATH whose phone is a folder of this machine and runs aarch64 programs under qemu-user.
class FakePhone {
 public:
  FakePhone() {
    for (const char* tool : {"bash", "qemu-aarch64-static"}) {
      if (FindProgram(tool).empty()) why_ = StrCat(tool, " is not installed");
    }
    if (!std::filesystem::exists(bundles() + "/aarch64/nas-agent")) {
      why_ = "no aarch64 agent is built (scripts/build-agent aarch64)";
    }
    if (!why_.empty()) return;
    test::WriteScript(dir_.path() / "adb", ReadFile(std::string(NAS_SOURCE_DIR) + "/tests/agent/fake_adb"));
    path_before_ = std::getenv("PATH");
    ::setenv("PATH", (dir_.path().string() + ":" + path_before_).c_str(), 1);
    ::setenv("FAKE_ADB_ROOT", (dir_.path() / "phone").c_str(), 1);
  }
  ~FakePhone() {
    if (path_before_.empty()) return;
    ::setenv("PATH", path_before_.c_str(), 1);
    ::unsetenv("FAKE_ADB_ROOT");
  }

  const std::string& why() const { return why_; }
  static std::string bundles() { return std::string(NAS_BINARY_DIR) + "/share/nas/agents"; }
  EngineOptions Options() const {
    EngineOptions options = test::LocalOptions();
    options.transport = "adb:fake0";
    options.agent.bundle_dirs = {bundles()};
    options.agent.silence_seconds = 120;
    return options;
  }

 private:
  TempDir dir_;
  std::string why_, path_before_;
};

}  // namespace

TEST_CASE("over ssh: the agent is brought once, keeps the contract and measures") {
  const LoopbackSshd sshd;
  if (!sshd.why().empty()) {
    WARN("skipped: " << sshd.why());
    return;
  }
  const auto engine = Open("plain", sshd.Options());
  test::CheckEngineContract(*engine, test::SmallBlock(), test::SmallNet());
  const std::vector<std::filesystem::path> files = FilesBelow(sshd.far_folder());
  REQUIRE(files.size() >= 2);  // the program and the mark that it is complete
  const auto written = std::filesystem::last_write_time(files.front());

  const auto again = Open("plain", sshd.Options());
  CHECK(std::filesystem::last_write_time(files.front()) == written);
  const test::Outcome outcome = test::MeasureAll(*again, test::SmallNets(3));
  CHECK(outcome.report.done == 3);
  CHECK(again->Identity().dump() == engine->Identity().dump());
  // Beside the agent, results are kept too.
  bool journal = false;
  for (const auto& file : FilesBelow(sshd.far_folder())) journal = journal || file.filename() == "results.jsonl";
  CHECK(journal);
}

TEST_CASE("over ssh: a profile whose agent keeps dying ends in exit code 5, is resumed, and gives a whole table") {
  const LoopbackSshd sshd;
  if (!sshd.why().empty()) {
    WARN("skipped: " << sshd.why());
    return;
  }
  LogOptions quiet;
  quiet.console = LogLevel::kOff;
  ConfigureLog(quiet);
  const TempDir dir;
  ProfileOptions options;
  options.engine = "simulated";
  options.transport = sshd.address();
  options.ssh_config = sshd.config();
  options.space = "tiny";
  options.out = (dir.path() / "board.json").string();
  ProfileHooks hooks;
  hooks.engines = BuiltinEngines();
  hooks.space_dirs = {std::string(NAS_SOURCE_DIR) + "/search_spaces"};
  hooks.agent.program = test::WriteScript(dir.path() / "nas-agent", "#!/bin/sh\n" + test::DiesAfter(5));
  const std::string partial = options.out + ".partial.jsonl";
  try {
    RunProfile(options, hooks);
    FAIL("a profile came of an agent that dies after five results");
  } catch (const Error& error) {
    CHECK(ExitCode(error.kind()) == 5);
    CHECK(std::string(error.what()).find("--resume") != std::string::npos);
  }
  CHECK_FALSE(std::filesystem::exists(options.out));
  const std::size_t kept = Split(ReadFile(partial), '\n').size() - 2;  // header, end
  CHECK(kept == 20);

  hooks.agent.program = test::AgentProgram();
  options.resume = true;
  const ProfileResult result = RunProfile(options, hooks);
  CHECK(result.items == static_cast<int>(PlanProfile(options, hooks).Items().size()));
  CHECK_FALSE(std::filesystem::exists(partial));
  CHECK(result.table.recorded.emulated);
  REQUIRE(result.held_out() != nullptr);
  CHECK(result.held_out()->mape < 10);
}

TEST_CASE("over ssh: what cannot be reached is exit code 5 with a remedy") {
  if (FindProgram("ssh").empty()) {
    WARN("skipped: ssh is not installed");
    return;
  }
  EngineOptions options = test::LocalOptions();
  options.transport = "ssh://127.0.0.1:1";  // nobody listens there
  try {
    Open("plain", options);
    FAIL("something answered");
  } catch (const Error& error) {
    CHECK(ExitCode(error.kind()) == 5);
    CHECK(std::string(error.what()).find("without a password") != std::string::npos);
  }
  for (const char* wrong : {"ssh://", "ssh://host:port", "ssh://-oProxyCommand=x", "ssh://a b", "adb:", "usb:1"}) {
    INFO(wrong);
    options.transport = wrong;
    try {
      Open("plain", options);
      FAIL("taken");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::kUsage);
    }
  }
}

TEST_CASE("over adb: an aarch64 agent keeps the contract, measures, and says that it is emulated") {
  const FakePhone phone;
  if (!phone.why().empty()) {
    WARN("skipped: " << phone.why());
    return;
  }
  const auto engine = Open("plain", phone.Options());
  CHECK(engine->Recorded().at("emulated") == true);
  CHECK(engine->Identity().at("os").get<std::string>().find("aarch64") != std::string::npos);
  test::CheckEngineContract(*engine, test::SmallBlock(), test::SmallNet());
  CHECK(test::MeasureAll(*engine, test::SmallNets(2)).report.done == 2);
}

TEST_CASE("over adb: XNNPACK of the aarch64 bundle agrees with plain loops") {
  const FakePhone phone;
  if (!phone.why().empty()) {
    WARN("skipped: " << phone.why());
    return;
  }
  if (!std::filesystem::exists(FakePhone::bundles() + "/aarch64/libXNNPACK.so.0")) {
    WARN("skipped: the aarch64 agent is built without XNNPACK");
    return;
  }
  const std::string bundle = FakePhone::bundles() + "/aarch64";
  CHECK(Run({"qemu-aarch64-static", bundle + "/ld-linux-aarch64.so.1", "--library-path", bundle, bundle + "/nas-agent",
             "--selftest"}) == 0);
  const auto engine = Open("xnnpack", phone.Options());
  CHECK(engine->Identity().at("engine") == "xnnpack");
  CHECK(test::MeasureAll(*engine, test::SmallNets(2)).report.done == 2);
}

TEST_CASE("over adb: a phone that is not there is exit code 5") {
  if (FindProgram("bash").empty()) return;
  const TempDir dir;
  test::WriteScript(dir.path() / "adb", "#!/bin/sh\necho \"adb: device '$2' not found\" >&2\nexit 1\n");
  const std::string before = std::getenv("PATH");
  ::setenv("PATH", (dir.path().string() + ":" + before).c_str(), 1);
  EngineOptions options = test::LocalOptions();
  options.transport = "adb:R58M";
  std::string message;
  int code = 0;
  try {
    Open("plain", options);
  } catch (const Error& error) {
    message = error.what();
    code = ExitCode(error.kind());
  }
  ::setenv("PATH", before.c_str(), 1);
  CHECK(code == 5);
  CHECK(message.find("R58M") != std::string::npos);
  CHECK(message.find("adb devices") != std::string::npos);
}
