// SPDX-License-Identifier: Apache-2.0
// The only file that sees the stand-ins for gloo's headers; nothing here touches their contents.
#ifndef USE_C10D_GLOO
#define USE_C10D_GLOO
#endif
#include "gloo_backend.h"

#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

namespace nas::detail {

c10::intrusive_ptr<c10d::Backend> MakeGlooBackend(const c10::intrusive_ptr<c10d::Store>& store, int rank, int size,
                                                  const std::string& address, std::chrono::milliseconds timeout) {
  auto options = c10d::ProcessGroupGloo::Options::create(timeout);
  // By address, not by host name: that is 127.0.1.1 on many machines.
  options->devices.push_back(c10d::ProcessGroupGloo::createDeviceForHostname(address));
  return c10::make_intrusive<c10d::ProcessGroupGloo>(store, rank, size, options);
}

std::string GlooFault(const std::string& address) {
  try {
    c10d::ProcessGroupGloo::createDeviceForHostname(address);
    return "";
  } catch (const std::exception& error) {
    const std::string text = error.what();
    return text.substr(0, text.find('\n'));
  }
}

}  // namespace nas::detail
