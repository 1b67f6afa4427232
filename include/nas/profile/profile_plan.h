// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nas/device/engine.h"
#include "nas/device/protocol.h"
#include "nas/latency/latency_table.h"
#include "nas/space/search_space.h"

namespace nas {

struct PlanOptions {
  std::string plan = "quick";  ///< quick | full
  int held_out = 0;            ///< 0 = the plan's number
  bool isolated = false;
  int batch = 1;  ///< images per forward call
  std::uint64_t seed = 0;
};

/// What is measured for one space, and how (latency.md §9.10). Networks are drawn by the seed before anything else, so
/// no result can have a say in them.
struct ProfilePlan {
  std::string name;
  ProtocolOptions protocol;
  MeasureItem reference;               ///< the network that the drift guard looks at; also measured, for calibration
  std::vector<MeasureItem> blocks;     ///< the space's fixed pieces, then a D-optimal choice of its blocks
  std::vector<MeasureItem> calibrate;  ///< whole networks that fix a and b; the reference is the first
  std::vector<MeasureItem> held_out;   ///< whole networks for the certificate only
  int space_keys = 0;                  ///< distinct keys of the space

  std::vector<MeasureItem> Items() const;
  double expected_seconds() const;  ///< on a quiet machine
};

ProfilePlan MakePlan(const SearchSpace& space, const PlanOptions& options);

/// A whole network as an item; `name` is its name in the table.
MeasureItem NetItem(const std::string& name, const Architecture& architecture);
/// The same from keys alone, as a table stores networks.
MeasureItem NetItem(const std::string& name, const std::vector<std::string>& keys, int resolution);
/// Name in the table of an item that is a network.
std::string NetName(const MeasureItem& item);

/// What of the protocol is stored in the table.
MeasureProtocol StoredProtocol(const ProtocolOptions& options);

}  // namespace nas
