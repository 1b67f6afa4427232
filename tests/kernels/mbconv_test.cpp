// SPDX-License-Identifier: Apache-2.0
#include "nas/kernels/mbconv.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <string>
#include <thread>
#include <vector>

#include "kernels/mbconv_reference.h"
#include "nas/core/error.h"
#include "nas/core/rng.h"
#include "nas/core/text.h"
#include "support/catch_compat.h"

namespace nas::test {
namespace {

using Floats = std::vector<float>;

constexpr double kTolerance = 5e-6;
// A value before an activation this near to a corner may lie on its other side in float32, where the gradient differs.
constexpr double kCornerMargin = 2e-5;

Doubles ToDoubles(const Floats& values) { return Doubles(values.begin(), values.end()); }

/// Where maps and weights come from: x has |mean|/σ = `offset` per channel; BN shifts put t far below 0 when `clamped`.
struct CaseSpec {
  MbconvShape shape;
  MbconvStatistics statistics = MbconvStatistics::kBatchAndTrack;
  double offset = 0;
  bool clamped = false;
};

struct FloatNorm {
  Floats scale, shift, running_mean, running_var;
};

struct Results {
  Floats y, dx, dexpand, ddepthwise, dproject;
  FloatNorm norms[3];
  Floats dscale[3], dshift[3];
};

class MbconvCase {
 public:
  MbconvCase(const CaseSpec& spec, std::uint64_t seed) : spec_(spec), rng_(seed) {
    const MbconvShape& s = spec.shape;
    x_.resize(static_cast<std::size_t>(s.pixels() * s.in));
    Floats mean(static_cast<std::size_t>(s.in));
    for (float& m : mean) m = static_cast<float>(spec.offset * (rng_.Uniform() < 0.5 ? -1 : 1));
    for (std::size_t i = 0; i < x_.size(); ++i) {
      x_[i] = mean[i % mean.size()] + static_cast<float>(rng_.Normal());
    }
    dy_ = Normals(s.out_pixels() * s.out, 1);
    const double taps = s.kernel * s.kernel;
    if (s.expand) expand_ = Normals(s.hidden * s.in, std::sqrt(2.0 / static_cast<double>(s.in)));
    depthwise_ = Normals(s.hidden * s.kernel * s.kernel, std::sqrt(2.0 / taps));
    project_ = Normals(s.out * s.hidden, std::sqrt(2.0 / static_cast<double>(s.hidden)));
    for (int i = s.expand ? 0 : 1; i < 3; ++i) {
      const std::int64_t channels = i == 2 ? s.out : s.hidden;
      norms_[i].scale = Uniforms(channels, 0.5, 1.5);
      norms_[i].shift = spec.clamped && i < 2 ? Uniforms(channels, -40, -30) : Uniforms(channels, -0.5, 1.5);
      norms_[i].running_mean = Uniforms(channels, -0.3, 0.3);
      norms_[i].running_var = Uniforms(channels, 0.5, 1.5);
    }
  }

  MbconvReference Reference() const {
    ReferenceWeights w;
    w.expand = ToDoubles(expand_);
    w.depthwise = ToDoubles(depthwise_);
    w.project = ToDoubles(project_);
    for (int i = 0; i < 3; ++i) {
      w.norms[i].scale = ToDoubles(norms_[i].scale);
      w.norms[i].shift = ToDoubles(norms_[i].shift);
      w.norms[i].running_mean = ToDoubles(norms_[i].running_mean);
      w.norms[i].running_var = ToDoubles(norms_[i].running_var);
    }
    return MbconvReference(spec_.shape, std::move(w), spec_.statistics);
  }

  Results Run(InstructionSet set, const WorkerPool& pool = {}, bool keep_z1 = true) const {
    const MbconvShape& s = spec_.shape;
    Results r;
    for (int i = 0; i < 3; ++i) r.norms[i] = norms_[i];
    MbconvWeights w;
    w.expand = expand_.data();
    w.depthwise = depthwise_.data();
    w.project = project_.data();
    MbconvGradients g;
    for (int i = 0; i < 3; ++i) {
      w.norms[i].scale = r.norms[i].scale.data();
      w.norms[i].shift = r.norms[i].shift.data();
      w.norms[i].running_mean = r.norms[i].running_mean.data();
      w.norms[i].running_var = r.norms[i].running_var.data();
      r.dscale[i].resize(norms_[i].scale.size());
      r.dshift[i].resize(norms_[i].scale.size());
      g.scale[i] = r.dscale[i].data();
      g.shift[i] = r.dshift[i].data();
    }
    r.y.resize(dy_.size());
    r.dx.resize(x_.size());
    r.dexpand.resize(expand_.size());
    r.ddepthwise.resize(depthwise_.size());
    r.dproject.resize(project_.size());
    g.x = r.dx.data();
    g.expand = r.dexpand.data();
    g.depthwise = r.ddepthwise.data();
    g.project = r.dproject.data();
    Floats z1(static_cast<std::size_t>(s.expand ? s.pixels() * s.hidden : 0));
    Floats z2(static_cast<std::size_t>(s.out_pixels() * s.hidden)), z3(dy_.size());
    Floats stats(static_cast<std::size_t>(MbconvStatsSize(s)));
    MbconvSaved saved{z1.data(), z2.data(), z3.data(), stats.data()};
    MbconvForward(s, w, spec_.statistics, x_.data(), r.y.data(), saved, pool, {set});
    if (!keep_z1) saved.z1 = nullptr;
    MbconvBackward(s, w, spec_.statistics, x_.data(), dy_.data(), saved, g, pool, {set});
    return r;
  }

  Doubles x() const { return ToDoubles(x_); }
  Doubles dy() const { return ToDoubles(dy_); }

 private:
  Floats Normals(std::int64_t n, double deviation) {
    Floats values(static_cast<std::size_t>(n));
    for (float& v : values) v = static_cast<float>(deviation * rng_.Normal());
    return values;
  }
  Floats Uniforms(std::int64_t n, double low, double high) {
    Floats values(static_cast<std::size_t>(n));
    for (float& v : values) v = static_cast<float>(low + (high - low) * rng_.Uniform());
    return values;
  }

  CaseSpec spec_;
  CounterRng rng_;
  Floats x_, dy_, expand_, depthwise_, project_;
  FloatNorm norms_[3];
};

/// Largest |a − b| over the largest |b|, or over `floor` where b is smaller than that.
double Deviation(const Floats& a, const Doubles& b, double floor = 1e-30) {
  double worst = 0, scale = floor;
  for (const double v : b) scale = std::max(scale, std::abs(v));
  for (std::size_t i = 0; i < b.size(); ++i) {
    const double difference = std::abs(static_cast<double>(a[i]) - b[i]);
    worst = difference <= worst ? worst : difference;  // a NaN becomes the worst
  }
  return worst / scale;
}

std::string Describe(const CaseSpec& spec) {
  const MbconvShape& s = spec.shape;
  return StrCat("n", s.batch, " ", s.height, "x", s.width, " c", s.in, "/", s.hidden, "/", s.out, " k", s.kernel, " s",
                s.stride, s.expand ? " expand" : "", s.shortcut ? " shortcut" : "", " act", static_cast<int>(s.act),
                " stats", static_cast<int>(spec.statistics), " offset", spec.offset, spec.clamped ? " clamped" : "");
}

CaseSpec RandomSpec(CounterRng& rng, bool narrow = false) {
  const auto between = [&](std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(rng.Below(static_cast<std::uint64_t>(high - low + 1)));
  };
  CaseSpec spec;
  MbconvShape& s = spec.shape;
  s.batch = between(1, 4);
  s.kernel = static_cast<int>(3 + 2 * rng.Below(3));
  s.stride = static_cast<int>(1 + rng.Below(2));
  s.expand = rng.Below(4) != 0;
  // Without expansion a single pixel meets a single weight, whose scale BN takes away.
  s.height = between(s.expand ? 1 : 2, 13);
  s.width = rng.Below(4) == 0 ? between(1, 34) : s.height;
  // Of a few channels BN leaves gradients of much cancellation: they have a test of their own.
  const std::int64_t least = narrow ? 1 : 8, most = narrow ? 7 : 40;
  s.in = between(least, most);
  s.hidden = s.expand ? between(least, narrow ? 7 : 110) : s.in;
  s.shortcut = s.stride == 1 && rng.Below(2) == 0;
  s.out = s.shortcut ? s.in : between(least, most);
  s.act = static_cast<FusedActivation>(rng.Below(3));
  spec.statistics = static_cast<MbconvStatistics>(rng.Below(3));
  // An input far from the running statistics saturates everything: offsets belong to those of the batch.
  if (rng.Below(4) == 0 && spec.statistics != MbconvStatistics::kRunning)
    spec.offset = std::pow(10.0, 2 * rng.Uniform());
  spec.clamped = rng.Below(12) == 0;
  // Statistics of a few values per channel amplify the last bit.
  while (s.out_pixels() < 100) ++s.batch;
  return spec;
}

/// False where no input was found that lies clear of the corners.
bool CheckAgainstReference(const CaseSpec& spec, std::uint64_t seed, InstructionSet set,
                           double tolerance = kTolerance) {
  // Gradients that are 0 but for rounding: of clamped values, and of weights whose scale BN takes away.
  const double floor = spec.clamped ? 1e-3 : tolerance > kTolerance ? 1 : 1e-30;
  for (int attempt = 0; attempt < 20; ++attempt) {
    const MbconvCase block(spec, MixSeed(seed, static_cast<std::uint64_t>(attempt)));
    MbconvReference reference = block.Reference();
    const Doubles y = reference.Forward(block.x());
    if (reference.NearestCorner() < kCornerMargin) continue;
    const ReferenceGradients gradients = reference.Backward(block.dy());
    const Results r = block.Run(set);
    INFO(Describe(spec) << " " << ToString(set) << " seed " << seed);
    CHECK(Deviation(r.y, y) < tolerance);
    CHECK(Deviation(r.dx, gradients.x) < tolerance);
    CHECK(Deviation(r.dexpand, gradients.expand, floor) < tolerance);
    CHECK(Deviation(r.ddepthwise, gradients.depthwise, floor) < tolerance);
    CHECK(Deviation(r.dproject, gradients.project, floor) < tolerance);
    for (int i = spec.shape.expand ? 0 : 1; i < 3; ++i) {
      INFO("norm " << i);
      CHECK(Deviation(r.dscale[i], gradients.scale[i], 1000 * floor) < tolerance);
      CHECK(Deviation(r.dshift[i], gradients.shift[i], 1000 * floor) < tolerance);
      CHECK(Deviation(r.norms[i].running_mean, reference.norm(i).running_mean) < tolerance);
      CHECK(Deviation(r.norms[i].running_var, reference.norm(i).running_var) < tolerance);
    }
    return true;
  }
  return false;
}

/// Real threads that take items from a counter.
WorkerPool ThreadPool(int workers) {
  WorkerPool pool;
  pool.workers = workers;
  pool.run = [workers](std::int64_t items, const WorkerPool::Body& body) {
    std::atomic<std::int64_t> next{0};
    std::vector<std::thread> threads;
    for (int w = 0; w < workers; ++w) {
      threads.emplace_back([&, w] {
        for (std::int64_t i = next++; i < items; i = next++) body(i, w);
      });
    }
    for (std::thread& t : threads) t.join();
  };
  return pool;
}

/// Items from the last to the first, dealt out to workers in turn: what real threads may do, but seldom do in a test.
WorkerPool BackwardsPool(int workers) {
  WorkerPool pool;
  pool.workers = workers;
  pool.run = [workers](std::int64_t items, const WorkerPool::Body& body) {
    for (std::int64_t i = items - 1; i >= 0; --i) body(i, static_cast<int>(i % workers));
  };
  return pool;
}

bool SameBits(const Results& a, const Results& b) {
  bool same =
      a.y == b.y && a.dx == b.dx && a.dexpand == b.dexpand && a.ddepthwise == b.ddepthwise && a.dproject == b.dproject;
  for (int i = 0; i < 3; ++i) {
    same = same && a.dscale[i] == b.dscale[i] && a.dshift[i] == b.dshift[i] &&
           a.norms[i].running_mean == b.norms[i].running_mean && a.norms[i].running_var == b.norms[i].running_var;
  }
  return same;
}

}  // namespace

TEST_CASE("MBConv kernels agree with the definition in float64 on random shapes", "[kernels]") {
  CounterRng rng(7);
  int compared = 0;
  for (int i = 0; i < 60; ++i) {
    const CaseSpec spec = RandomSpec(rng);
    bool found = true;
    for (const InstructionSet set : AvailableInstructionSets()) found = CheckAgainstReference(spec, 100 + i, set);
    compared += found ? 1 : 0;
  }
  CHECK(compared >= 57);
}

TEST_CASE("MBConv kernels handle blocks narrower than a vector", "[kernels]") {
  CounterRng rng(9);
  for (int i = 0; i < 40; ++i) {
    const CaseSpec spec = RandomSpec(rng, /*narrow=*/true);
    for (const InstructionSet set : AvailableInstructionSets()) CheckAgainstReference(spec, 900 + i, set, 1e-4);
  }
}

TEST_CASE("MBConv kernels agree with the definition on many random shapes", "[.long]") {
  CounterRng rng(8);
  int compared = 0;
  for (int i = 0; i < 1000; ++i) {
    const CaseSpec spec = RandomSpec(rng);
    bool found = true;
    for (const InstructionSet set : AvailableInstructionSets()) found = CheckAgainstReference(spec, 5000 + i, set);
    compared += found ? 1 : 0;
  }
  CHECK(compared >= 950);
}

TEST_CASE("MBConv kernels give the same bits whoever runs the items", "[kernels]") {
  for (const int stride : {1, 2}) {
    CaseSpec spec;
    spec.shape = {.batch = 5,
                  .height = 15,
                  .width = 14,
                  .in = 24,
                  .hidden = 100,
                  .out = 24,
                  .kernel = 5,
                  .stride = stride,
                  .shortcut = stride == 1};
    const MbconvCase block(spec, 3);
    for (const InstructionSet set : AvailableInstructionSets()) {
      const Results alone = block.Run(set);
      CHECK(SameBits(alone, block.Run(set)));
      CHECK(SameBits(alone, block.Run(set, ThreadPool(2))));
      CHECK(SameBits(alone, block.Run(set, ThreadPool(5))));
      CHECK(SameBits(alone, block.Run(set, BackwardsPool(1))));
      CHECK(SameBits(alone, block.Run(set, BackwardsPool(3))));
      CHECK(SameBits(alone, block.Run(set, ThreadPool(2), /*keep_z1=*/false)));
    }
  }
}

TEST_CASE("A NaN or infinity in the input of MBConv kernels reaches the output", "[kernels]") {
  MbconvShape shape{.batch = 1, .height = 4, .width = 4, .in = 3, .hidden = 9, .out = 2};
  Floats x(48, 1.0f), y(32), z1(144), z2(144), z3(32), ones(16, 1.0f), zeros(16, 0.0f), weights(9 * 9, 0.5f);
  Floats stats(static_cast<std::size_t>(MbconvStatsSize(shape)));
  x[20] = std::nanf("");
  MbconvWeights w{weights.data(), weights.data(), weights.data(), {}};
  for (MbconvNorm& norm : w.norms) norm = {ones.data(), zeros.data(), nullptr, nullptr};
  MbconvWeights running = w;
  for (MbconvNorm& norm : running.norms) norm = {ones.data(), zeros.data(), zeros.data(), ones.data()};
  for (const InstructionSet set : AvailableInstructionSets()) {
    MbconvForward(shape, w, MbconvStatistics::kBatch, x.data(), y.data(),
                  {z1.data(), z2.data(), z3.data(), stats.data()}, {}, {set});
    CHECK(std::all_of(y.begin(), y.end(), [](float v) { return std::isnan(v); }));
    // With running statistics only the pixels that see it.
    MbconvForward(shape, running, MbconvStatistics::kRunning, x.data(), y.data(),
                  {z1.data(), z2.data(), z3.data(), stats.data()}, {}, {set});
    CHECK(std::count_if(y.begin(), y.end(), [](float v) { return std::isnan(v); }) == 9 * 2);
  }
}

TEST_CASE("Shapes outside the MBConv kernels are refused", "[kernels]") {
  const MbconvShape good{.batch = 1, .height = 4, .width = 4, .in = 3, .hidden = 9, .out = 2};
  const auto run = [](const MbconvShape& shape) {
    MbconvForward(shape, {}, MbconvStatistics::kBatch, nullptr, nullptr, {}, {});
  };
  MbconvShape shape = good;
  shape.kernel = 4;
  CHECK_THROWS_AS(run(shape), Error);
  shape = good;
  shape.stride = 3;
  CHECK_THROWS_AS(run(shape), Error);
  shape = good;
  shape.shortcut = true;
  CHECK_THROWS_AS(run(shape), Error);
  shape = good;
  shape.expand = false;
  CHECK_THROWS_AS(run(shape), Error);
}

}  // namespace nas::test
