// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "nas/core/machine.h"
#include "nas/device/affinity.h"

namespace nas::agent {

/// What the agent finds out about the device it runs on, beyond `ProbeMachine`.
struct DeviceFacts {
  MachineInfo machine;
  std::string model;      ///< name of phone or board, else of the processor
  std::string soc;        ///< "none" on PCs
  std::string cores;      ///< "4 x A76 @ 2400 MHz", of the cores in use
  std::string power;      ///< "mains", "battery", "unknown"
  bool emulated = false;  ///< this program is of another architecture than the kernel's processors
};

DeviceFacts ProbeDevice(CoreMask mask);

}  // namespace nas::agent
