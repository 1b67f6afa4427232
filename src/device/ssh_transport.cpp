// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/text.h"
#include "remote_transport.h"

namespace nas::detail {
namespace {

constexpr const char* kScheme = "ssh://";
constexpr double kCommandSeconds = 60;
constexpr double kPushSeconds = 300;

// One connection for all commands, closed with this object.
class SshTransport final : public RemoteTransport {
 public:
  SshTransport(const std::string& address, const AgentPlaces& places) : RemoteTransport(address, places) {
    destination_ = address.substr(std::string(kScheme).size());
    const std::size_t colon = destination_.rfind(':');
    if (colon != std::string::npos && destination_.find(']', colon) == std::string::npos) {
      port_ = destination_.substr(colon + 1);
      destination_.resize(colon);
      long long port = 0;
      if (!ParseInt(port_, &port) || port < 1 || port > 65535) {
        ThrowUsage(StrCat("--transport ", address, ": \"", port_, "\" is no port; write ssh://[user@]host[:port]"));
      }
    }
    // A host that begins with a dash would be an option to ssh.
    if (destination_.empty() || destination_.front() == '-' || destination_.back() == '@' ||
        destination_.find_first_of(" \t\n/") != std::string::npos) {
      ThrowUsage(StrCat("--transport ", address, " names no host; write ssh://[user@]host[:port]"));
    }
  }

  ~SshTransport() override {
    if (used_) RunWords(Words({"-O", "exit"}), 5);
  }

 protected:
  SubprocessResult Shell(const std::string& command) override {
    used_ = true;
    std::vector<std::string> words = Words({});
    words.push_back(command);
    return RunWords(std::move(words), kCommandSeconds);
  }

  SubprocessResult Push(const std::string& file, const std::string& remote_path) override {
    std::vector<std::string> words = Words({});
    words.push_back(StrCat("cat > ", remote_path));
    return RunWords(std::move(words), kPushSeconds, ReadFile(file));
  }

  std::vector<std::string> Interactive(const std::string& command) const override {
    std::vector<std::string> words = Words({"-T"});
    words.push_back(command);
    return words;
  }

  std::string Root() const override { return "\"${XDG_CACHE_HOME:-$HOME/.cache}\"/nas-agent"; }

  std::string Remedy() const override {
    return StrCat("see that \"ssh ", port_.empty() ? "" : StrCat("-p ", port_, " "), destination_,
                  "\" works without a password (BatchMode)");
  }

 private:
  std::vector<std::string> Words(const std::vector<std::string>& more) const {
    std::vector<std::string> words{"ssh"};
    if (!places().ssh_config.empty()) words.insert(words.end(), {"-F", places().ssh_config});
    words.insert(words.end(), {"-oBatchMode=yes", "-oConnectTimeout=10", "-oControlMaster=auto", "-oControlPersist=60",
                               StrCat("-oControlPath=", control_.path().string(), "/%C")});
    if (!port_.empty()) words.insert(words.end(), {"-p", port_});
    words.insert(words.end(), more.begin(), more.end());
    words.push_back(destination_);
    return words;
  }

  TempDir control_;  // only this user may enter it
  std::string destination_, port_;
  bool used_ = false;
};

}  // namespace

std::unique_ptr<Transport> MakeSshTransport(const std::string& address, const AgentPlaces& places) {
  return std::make_unique<SshTransport>(address, places);
}

}  // namespace nas::detail
