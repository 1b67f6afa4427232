// SPDX-License-Identifier: Apache-2.0
#include "nas/core/error.h"
#include "nas/dist/backends.h"
#include "nas/dist/communicator.h"
#include "nas/dist/meeting.h"

namespace nas {

std::vector<BackendState> FindBackends() {
  const char* const remedy = "configure the build with -DNAS_DISTRIBUTED=ON";
  return {{"Gloo", false, "not part of this build: one process only", remedy},
          {"NCCL", false, "not part of this build", ""}};
}

std::unique_ptr<Communicator> MakeGlooCommunicator(const GlooOptions&) {
  ThrowUsage("this build has no communication between processes; configure it with -DNAS_DISTRIBUTED=ON");
}

std::unique_ptr<Communicator> MeetRanks(GlooOptions options, const RendezvousFile&) {
  return MakeGlooCommunicator(options);
}

}  // namespace nas
