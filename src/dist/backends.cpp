// SPDX-License-Identifier: Apache-2.0
#include "nas/dist/backends.h"

#include "gloo_backend.h"
#include "nas/core/error.h"
#include "nas/core/machine.h"
#include "nas/core/text.h"
#include "own_address.h"

namespace nas {
namespace {

BackendState FindGloo() {
  const std::string loopback = "127.0.0.1";
  if (const std::string fault = detail::GlooFault(loopback); !fault.empty())
    return {"Gloo", false, fault, "--ranks 2 and more cannot work here: is there a loopback interface?"};
  BackendState gloo{"Gloo", true, "several processes sum on CPUs, over TCP", ""};
  const std::string host = ProbeMachine().hostname;
  try {
    const std::string address = detail::OwnAddressTowards(host, /*port=*/0);
    gloo.detail += StrCat("; this machine is ", address, " to itself");
    if (StartsWith(address, "127.")) gloo.remedy = "for ranks on several machines: --interface ADDRESS";
  } catch (const Error&) {
    gloo.detail += StrCat("; the name ", host, " leads to no address");
    gloo.remedy = "for ranks on several machines: --interface ADDRESS";
  }
  return gloo;
}

}  // namespace

std::vector<BackendState> FindBackends() {
  return {FindGloo(),
          {"NCCL", false, "not part of this program: processes share a search on CPUs only",
           "on GPUs run one search each: nas submit --sweep"}};
}

}  // namespace nas
