// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "nas/data/loader.h"
#include "nas/nn/supernet.h"

namespace nas {

/// Images per batch where `images` are judged: at most 250, and four batches at least, so that halves are whole
/// batches.
int JudgingBatch(std::int64_t images);

/// Accuracy of architectures with the supernet's weights on a fixed list of carve-out images, by batch statistics (N2:
/// running statistics are neither used nor touched). Each architecture is judged once; for ranking, not for reporting.
class InheritedAccuracy {
 public:
  /// Keeps up to `images` images of the loader's first batches on the supernet's device.
  InheritedAccuracy(Supernet& net, Loader& loader, std::int64_t images);

  /// Called before an architecture is judged, with the number of those judged so far; what it throws ends the judging.
  void BeforeEach(std::function<void(std::int64_t judged)> look) { before_each_ = std::move(look); }
  /// Share of images classified right, 0…1.
  double operator()(const Choice& choice);
  /// The same on the even and on the odd batches: for split-half reliability. Also makes the whole known.
  std::pair<double, double> Halves(const Choice& choice);
  std::int64_t images() const { return images_; }
  /// Architectures judged so far, by code.
  const std::map<std::string, double>& known() const { return known_; }

 private:
  std::vector<double> PerBatch(const Choice& choice);

  Supernet& net_;
  std::vector<Batch> batches_;
  std::int64_t images_ = 0;
  std::map<std::string, double> known_;
  std::function<void(std::int64_t)> before_each_;
};

}  // namespace nas
