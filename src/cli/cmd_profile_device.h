// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "verb.h"

namespace nas {
struct EngineEntry;
struct ProfileOptions;
}  // namespace nas

namespace nas::cli {

struct Session;

/// `nas profile-device`: measure this machine, a board over ssh or a phone over adb.
Run ConfigureProfileDevice(FlagSet& flags);

/// Measures with one of the engines and prints what came out; both programs do it, each with its own list.
int RunProfileDevice(const ProfileOptions& options, const Session& session, std::vector<EngineEntry> engines);

}  // namespace nas::cli
