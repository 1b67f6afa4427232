// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "nas/core/json.h"

namespace nas {

/// What makes a latency comparable: another value of any field is another device (latency.md §1, §5).
/// A text field that the source does not tell is "unknown", a number 0 (written as "unknown").
struct DeviceIdentity {
  std::string device_class = "cpu";  ///< "cpu" or "gpu"
  std::string vendor = "unknown";
  std::string model = "unknown";
  std::string soc = "unknown";
  std::string cores = "unknown";      ///< "4 x A76 @ 2400 MHz"
  std::string core_mask = "unknown";  ///< hexadecimal affinity mask
  int threads = 0;                    ///< 0 = unknown
  std::string precision = "unknown";  ///< "fp32", "fp16", "int8", …
  int batch = 1;                      ///< images per forward call; 0 = unknown
  std::string os = "unknown";
  std::string engine = "unknown";
  std::string engine_version = "unknown";
  std::string engine_build = "unknown";
  std::string delegate = "";
  // GPUs only; written exactly when device_class is "gpu".
  std::string gpu = "unknown";
  std::string compute_capability = "unknown";
  std::string driver_major = "unknown";
  std::string cuda = "unknown";
  std::string cudnn = "unknown";
  std::string clocks_locked = "unknown";  ///< "yes", "no"

  bool is_gpu() const { return device_class == "gpu"; }
  friend bool operator==(const DeviceIdentity&, const DeviceIdentity&) = default;
};

Json ToJson(const DeviceIdentity& identity);
/// Throws kInput on unknown or missing keys.
DeviceIdentity DeviceIdentityFromJson(ObjectReader reader);

/// First 16 hex digits of XXH3-128 of the canonical JSON of the identity.
std::string DeviceId(const DeviceIdentity& identity);

/// One field in which two identities differ.
struct IdentityDifference {
  std::string field;
  std::string mine;
  std::string theirs;
  bool unknown = false;  ///< at least one side does not know
};
/// All differing fields, in the order of the file.
std::vector<IdentityDifference> CompareIdentities(const DeviceIdentity& mine, const DeviceIdentity& theirs);
/// `threads 1 ≠ 4, engine "xnnpack" ≠ "tflite"`.
std::string ToString(const std::vector<IdentityDifference>& differences);

}  // namespace nas
