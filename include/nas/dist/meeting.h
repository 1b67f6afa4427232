// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "nas/dist/communicator.h"
#include "nas/dist/rendezvous_file.h"

namespace nas {

/// As `MakeGlooCommunicator`, for ranks that nobody has given a port: `options.master_port` is what each of them has
/// worked out. Rank 0 takes a free one where that is taken and publishes it in `place`, where the others look between
/// attempts; whatever else listens at the first port does not mislead them. Throws kUnavailable like
/// `MakeGlooCommunicator`, kInput when `place` cannot be written.
std::unique_ptr<Communicator> MeetRanks(GlooOptions options, const RendezvousFile& place);

}  // namespace nas
