// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "graph.h"
#include "map_buffer.h"

namespace nas::agent {

/// A graph that is ready to run from one buffer into another.
class GraphRunner {
 public:
  virtual ~GraphRunner() = default;
  virtual void Run() = 0;
};

/// A runtime for graphs.
struct Backend {
  std::string name;
  std::string version;
  int most_threads = 1;
  /// Throws kInput for a graph that the runtime does not take. The graph may go away afterwards, the buffers stay.
  std::function<std::unique_ptr<GraphRunner>(const Graph& graph, const std::shared_ptr<MapBuffer>& input,
                                             const std::shared_ptr<MapBuffer>& output, int threads)>
      make;
};

/// Plain loops, one thread: for self-tests and tests of the protocol.
Backend PlainBackend();
/// XNNPACK where it was there at build time; else the list stays without it.
std::vector<Backend> XnnpackBackends();
/// All of this program, in the order in which they are listed.
std::vector<Backend> AllBackends();

}  // namespace nas::agent
