// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "nas/core/error.h"
#include "nas/core/text.h"
#include "remote_transport.h"

namespace nas::detail {
namespace {

constexpr const char* kScheme = "adb:";
constexpr double kCommandSeconds = 60;
constexpr double kPushSeconds = 300;

class AdbTransport final : public RemoteTransport {
 public:
  AdbTransport(const std::string& address, const AgentPlaces& places) : RemoteTransport(address, places) {
    serial_ = address.substr(std::string(kScheme).size());
    if (serial_.empty() || serial_.front() == '-') {
      ThrowUsage(StrCat("--transport ", address, " names no phone; write adb:SERIAL, the serial from \"adb devices\""));
    }
  }

 protected:
  // Old adb daemons drop exit codes: the shell says its own.
  SubprocessResult Shell(const std::string& command) override {
    SubprocessResult result =
        RunWords({"adb", "-s", serial_, "shell", StrCat(command, "; echo RC=$?")}, kCommandSeconds);
    const std::size_t at = result.out.rfind("RC=");
    if (at == std::string::npos) return result;
    long long code = 0;
    if (ParseInt(Trim(result.out.substr(at + 3)), &code)) result.exit_code = static_cast<int>(code);
    result.out.resize(at);
    return result;
  }

  SubprocessResult Push(const std::string& file, const std::string& remote_path) override {
    return RunWords({"adb", "-s", serial_, "push", file, remote_path}, kPushSeconds);
  }

  std::vector<std::string> Interactive(const std::string& command) const override {
    return {"adb", "-s", serial_, "shell", command};
  }

  std::string Root() const override { return "/data/local/tmp"; }
  std::string Remedy() const override {
    return StrCat("see that \"adb devices\" lists ", serial_, " as device, with USB debugging allowed");
  }

 private:
  std::string serial_;
};

}  // namespace

std::unique_ptr<Transport> MakeAdbTransport(const std::string& address, const AgentPlaces& places) {
  return std::make_unique<AdbTransport>(address, places);
}

}  // namespace nas::detail
