// SPDX-License-Identifier: Apache-2.0
#include "demo_dataset.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <utility>

#include "cached_dataset.h"
#include "nas/core/hash.h"
#include "nas/core/rng.h"
#include "nas/core/text.h"
#include "parallel_for.h"
#include "seed_streams.h"

namespace nas::detail {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr int kSubpixels = 2;  // per axis, for smooth edges

/// True where a point belongs to the figure. The point is relative to the figure's centre, turned, and in units of its
/// radius; textures are unbounded.
using Membership = bool (*)(double x, double y);

bool Circle(double x, double y) { return x * x + y * y < 0.8; }

bool Ring(double x, double y) {
  const double r2 = x * x + y * y;
  return r2 < 1.0 && r2 > 0.36;
}

bool Square(double x, double y) { return std::max(std::abs(x), std::abs(y)) < 0.8; }

bool Triangle(double x, double y) { return y < 0.6 && y > -1.2 + 1.9 * std::abs(x); }

bool Cross(double x, double y) {
  const double across = std::min(std::abs(x), std::abs(y));
  const double along = std::max(std::abs(x), std::abs(y));
  return along < 1.0 && across < 0.28;
}

bool Star(double x, double y) {
  const double radius = std::hypot(x, y);
  const double sector = 2 * kPi / 5;
  const double angle = std::atan2(x, -y) + 2 * kPi;
  const double offset = std::abs(std::fmod(angle, sector) - sector / 2) / (sector / 2);
  return radius < 0.38 + 0.72 * offset * offset;
}

bool Crescent(double x, double y) {
  const double shifted = x - 0.5;
  return x * x + y * y < 1.0 && shifted * shifted + y * y > 0.66;
}

double Cell(double value) { return value - std::floor(value); }

bool Stripes(double x, double /*y*/) { return Cell(x * 1.6) < 0.5; }

bool Checker(double x, double y) { return (Cell(x * 1.3) < 0.5) != (Cell(y * 1.3) < 0.5); }

bool Dots(double x, double y) {
  const double u = Cell(x * 1.6) - 0.5;
  const double v = Cell(y * 1.6) - 0.5;
  return u * u + v * v < 0.09;
}

struct Figure {
  const char* name;
  Membership inside;
};

constexpr std::array<Figure, 10> kFigures = {{{"circle", Circle},
                                              {"ring", Ring},
                                              {"square", Square},
                                              {"triangle", Triangle},
                                              {"cross", Cross},
                                              {"star", Star},
                                              {"crescent", Crescent},
                                              {"stripes", Stripes},
                                              {"checker", Checker},
                                              {"dots", Dots}}};

using Colour = std::array<double, 3>;

double Between(double low, double high, CounterRng* rng) { return low + (high - low) * rng->Uniform(); }

/// Zero mean, unit deviation, bell-shaped: the sum of four bytes costs a tenth of a true normal number.
double Noise(CounterRng* rng) {
  const std::uint32_t word = rng->Next();
  const auto sum = static_cast<double>((word & 255U) + (word >> 8 & 255U) + (word >> 16 & 255U) + (word >> 24));
  return (sum - 510.0) / 147.8;
}

double Luma(const Colour& colour) { return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]; }

/// Two colours that differ enough in lightness; which of them is lighter is chance.
std::pair<Colour, Colour> TwoColours(CounterRng* rng) {
  constexpr double kLeastContrast = 70;
  for (;;) {
    std::pair<Colour, Colour> colours;
    for (double& value : colours.first) value = Between(10, 245, rng);
    for (double& value : colours.second) value = Between(10, 245, rng);
    if (std::abs(Luma(colours.first) - Luma(colours.second)) > kLeastContrast) return colours;
  }
}

void Draw(Membership inside, CounterRng* rng, std::uint8_t* pixels) {
  const auto [figure, ground] = TwoColours(rng);
  const double centre_x = kDemoSide / 2.0 + Between(-5, 5, rng);
  const double centre_y = kDemoSide / 2.0 + Between(-5, 5, rng);
  const double radius = Between(7, 12, rng);
  const double turn = Between(-kPi, kPi, rng);
  const double cosine = std::cos(turn) / radius;
  const double sine = std::sin(turn) / radius;
  // The ground is no flat colour: a slope of random direction.
  const double slope_x = Between(-1.2, 1.2, rng);
  const double slope_y = Between(-1.2, 1.2, rng);
  const double noise = Between(4, 16, rng);
  for (int y = 0; y < kDemoSide; ++y) {
    for (int x = 0; x < kDemoSide; ++x) {
      int hits = 0;
      for (int s = 0; s < kSubpixels * kSubpixels; ++s) {
        const double dx = x + (s % kSubpixels + 0.5) / kSubpixels - centre_x;
        const double dy = y + (s / kSubpixels + 0.5) / kSubpixels - centre_y;
        hits += inside(cosine * dx + sine * dy, cosine * dy - sine * dx) ? 1 : 0;
      }
      const double share = static_cast<double>(hits) / (kSubpixels * kSubpixels);
      const double slope = slope_x * (x - kDemoSide / 2) + slope_y * (y - kDemoSide / 2);
      for (int c = 0; c < 3; ++c) {
        const double value = share * figure[c] + (1 - share) * (ground[c] + slope) + noise * Noise(rng);
        *pixels++ = static_cast<std::uint8_t>(std::clamp(std::lround(value), 0L, 255L));
      }
    }
  }
}

std::shared_ptr<const Dataset> MakeSplit(const char* split, int per_class, std::uint64_t seed, std::uint32_t substream,
                                         int threads) {
  constexpr std::int64_t kBytes = 3 * kDemoSide * kDemoSide;
  constexpr auto kClasses = static_cast<std::int64_t>(kFigures.size());
  const std::int64_t count = kClasses * per_class;
  std::vector<std::vector<std::uint8_t>> blocks(1);
  blocks[0].resize(static_cast<std::size_t>(count * kBytes));
  std::vector<CachedDataset::Entry> entries(static_cast<std::size_t>(count));
  ParallelFor(count, /*grain=*/64, threads, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const auto label = static_cast<int>(i / per_class);
      CounterRng rng(MixSeed(seed, kDemoSalt), static_cast<std::uint64_t>(i), substream);
      std::uint8_t* pixels = blocks[0].data() + i * kBytes;
      Draw(kFigures[label].inside, &rng, pixels);
      entries[i] = {pixels, kDemoSide, kDemoSide, label, StrCat("demo ", split, " image ", i)};
    }
  });
  std::vector<std::string> names;
  for (const Figure& figure : kFigures) names.emplace_back(figure.name);
  return std::make_shared<CachedDataset>(std::move(names), std::move(blocks), std::move(entries));
}

}  // namespace

DataSplits MakeDemoData(std::uint64_t seed, int threads) {
  DataSplits splits;
  splits.train = MakeSplit("training", kDemoTrainPerClass, seed, 0, threads);
  splits.test = MakeSplit("test", kDemoTestPerClass, seed, 1, threads);
  splits.native_side = kDemoSide;
  splits.small_images = true;
  splits.listing_hash = Hash128Hex(StrCat("demo 1, seed ", seed));
  return splits;
}

}  // namespace nas::detail
