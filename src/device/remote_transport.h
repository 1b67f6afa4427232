// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "nas/core/subprocess.h"
#include "nas/device/transport.h"

namespace nas::detail {

/// What ssh and adb have in common: a shell on the far side, and files that are copied once into a folder that their
/// hash names.
class RemoteTransport : public Transport {
 public:
  RemoteTransport(std::string address, AgentPlaces places);
  std::string name() const override { return address_; }
  std::vector<std::string> AgentCommand() override;

 protected:
  /// Runs a command of the far shell; its exit code counts.
  virtual SubprocessResult Shell(const std::string& command) = 0;
  virtual SubprocessResult Push(const std::string& file, const std::string& remote_path) = 0;
  /// The command of this machine that runs a command of the far shell with open stdin and stdout.
  virtual std::vector<std::string> Interactive(const std::string& command) const = 0;
  /// Folder of the far machine, in the words of its shell, below which agents are kept.
  virtual std::string Root() const = 0;
  /// What to look at when nothing answers.
  virtual std::string Remedy() const = 0;

  const AgentPlaces& places() const { return places_; }

 private:
  std::string Ask(const std::string& command);
  [[noreturn]] void ThrowUnreachable(const SubprocessResult& result) const;

  std::string address_;
  AgentPlaces places_;
};

/// Runs a program of this machine with a deadline.
SubprocessResult RunWords(std::vector<std::string> argv, double seconds, std::string input = "");

std::unique_ptr<Transport> MakeSshTransport(const std::string& address, const AgentPlaces& places);
std::unique_ptr<Transport> MakeAdbTransport(const std::string& address, const AgentPlaces& places);

}  // namespace nas::detail
