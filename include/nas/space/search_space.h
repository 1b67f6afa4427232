// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "nas/core/rng.h"
#include "nas/space/architecture.h"

namespace nas {

/// One op index per searched edge, in execution order.
using Choice = std::vector<int>;

/// A searched position: several candidate layers for one place.
struct Edge {
  std::string name;               ///< "blocks.1": the place in the network
  int layer = 0;                  ///< index in `Architecture::layers`
  MapShape in;                    ///< map that enters
  std::vector<Layer> candidates;  ///< in the space's order
  int skip_op = -1;               ///< index of the candidate that costs nothing and passes x on, −1 = none
  int size() const { return static_cast<int>(candidates.size()); }
};

/// What a user may change of a space without writing a file.
struct SpaceOptions {
  double width_mult = 1.0;  ///< scales stem, first block and stages through MakeDivisible
  int resolution = 0;       ///< pixels; 0 = the space's own
  int classes = 0;          ///< 0 = the space's own
};

/// A set of networks: fixed layers and edges with candidate ops. Immutable after loading.
class SearchSpace {
 public:
  /// `name_or_file`: a shipped space, or a JSON file (contains '/' or ends in ".json"; schema in
  /// search_spaces/README.md). `search_path`: folders to look for shipped spaces in. Throws kInput with the nearest
  /// name, or file:line and JSON path.
  static SearchSpace Load(const std::string& name_or_file, const SpaceOptions& options,
                          const std::vector<std::string>& search_path);
  static SearchSpace FromJson(const JsonDocument& document, const SpaceOptions& options);
  /// Names of shipped spaces found in the folders.
  static std::vector<std::string> List(const std::vector<std::string>& search_path);

  const std::string& name() const { return name_; }
  const std::string& description() const { return description_; }
  int resolution() const { return base_.resolution; }
  int classes() const { return base_.classes(); }
  const SpaceOptions& options() const { return options_; }
  const std::vector<Edge>& edges() const { return edges_; }
  /// The network with every edge at its first candidate: gives the fixed layers and their order.
  const Architecture& base() const { return base_; }
  bool IsSearched(int layer) const;

  int alphas() const;  ///< Σ candidates
  double log10_architectures() const;
  std::int64_t supernet_params() const;
  std::int64_t fixed_params() const;  ///< params and MACs of the layers that are not searched
  Macs fixed_macs() const;
  std::int64_t params(int edge, int op) const;
  Macs macs(int edge, int op) const;
  /// Least and greatest count over all networks of the space; exact, as every edge counts for itself.
  std::pair<std::int64_t, std::int64_t> params_range() const;
  std::pair<Macs, Macs> macs_range() const;

  /// The network of a choice, with its code. Throws kInput on a wrong length or index.
  Architecture Build(std::span<const int> choice) const;
  /// Inverse of `Build` on the layers; nullopt when the network is not of this space.
  std::optional<Choice> Encode(const Architecture& architecture) const;
  /// One digit per edge (0…9, then a…z).
  std::string Code(std::span<const int> choice) const;
  /// Throws kInput naming position and legal digits.
  Choice Decode(const std::string& code) const;
  /// Uniform over candidates on every edge.
  Choice Sample(CounterRng& rng) const;

 private:
  SearchSpace() = default;
  std::string name_;
  std::string description_;
  SpaceOptions options_;
  Architecture base_;
  std::vector<Edge> edges_;
};

}  // namespace nas
