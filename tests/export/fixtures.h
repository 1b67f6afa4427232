// SPDX-License-Identifier: Apache-2.0
// Networks and images of the export tests. Include after support/torch_test.h.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "nas/export/exporter.h"
#include "nas/nn/network.h"
#include "nas/space/architecture.h"

namespace nas::test {

/// Small networks that between them use every op of the catalogue and every field of each, at an odd side.
std::vector<Architecture> OpNetworks();

/// `count` networks drawn from a shipped space. `resolution` 0: the space's own.
std::vector<Architecture> SampledNetworks(const std::string& space, int count, int resolution);

/// A network whose BN statistics and biases are not their start values, so that a mistake with them shows.
Network DisturbedNetwork(const Architecture& architecture, std::uint64_t seed = 3);

/// Real photographs where NAS_TEST_DATA names them, else pictures of the demo set; normalised, [n, 3, side, side].
at::Tensor Pictures(std::int64_t n, int side);

/// What an exporter gets for a network.
ExportModel ModelOf(const Network& network);

/// The project's interpreter with all `modules`, or "" after a warning that says what is skipped.
std::string PythonWith(const std::string& modules);

}  // namespace nas::test
