// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nas/core/json.h"
#include "nas/core/units.h"
#include "nas/space/layer.h"

namespace nas {

/// The class named in net.config; decides layer names in the state dict and the implicit pooling layers.
enum class Family { kProxyless, kMobileNetV3, kResNet, kPyramidTree };

struct BatchNormSpec {
  double momentum = 0.1;  ///< share of the new value in the running average (PyTorch's meaning)
  double eps = 1e-3;
  friend bool operator==(const BatchNormSpec&, const BatchNormSpec&) = default;
};

/// A network, described: what every part of the project produces or consumes. A plain, comparable value that knows
/// nothing of tensors, devices or files. Layers run in order on an image of `resolution`²; Zero blocks stay in the
/// list.
struct Architecture {
  std::string name;  ///< for people; not part of equality of networks
  Family family = Family::kProxyless;
  int resolution = 224;  ///< input side in pixels
  BatchNormSpec bn;
  std::vector<Layer> layers;
  std::string space;  ///< the space it was drawn from, "" = none
  std::string code;   ///< one digit per searched edge (index of the op), "" = none

  int classes() const;  ///< output features of the last layer
  friend bool operator==(const Architecture&, const Architecture&) = default;
};

/// Shape of the map that enters each layer, and one more: the output. Throws kInput on a layer that does not fit.
std::vector<MapShape> InferShapes(const Architecture& architecture);
std::int64_t CountParams(const Architecture& architecture);
Macs CountMacs(const Architecture& architecture);
/// Number of blocks that do something (Zero blocks not counted).
int Depth(const Architecture& architecture);
/// Latency key of every layer, "" for free ones, in layer order. Throws kInput "no latency model for X".
std::vector<std::string> LatencyKeys(const Architecture& architecture);

/// One object per layer for people and programs: name, label, op, in and out shape, kernel, expand, mid, stride, act,
/// se, skip, params, macs; keys that an op does not use are left out. In layer order.
Json DescribeLayers(const Architecture& architecture);

/// Our own JSON form: everything, exactly (`{"schema": "nas.architecture/1", …}`).
Json ToJson(const Architecture& architecture);
Architecture ArchitectureFromJson(const JsonDocument& document);

/// The published JSON form (ProxylessNAS, OFA; proxyless.md §13). Reading keeps the networks of all four families;
/// writing gives `ProxylessNASNets` with `mid_channels: null`, or the family that was read.
Json ToNetConfig(const Architecture& architecture);
/// `resolution` ≤ 0: from the file's "resolution", else 224 (32 for a stem of stride 1 and for tree networks).
Architecture ArchitectureFromNetConfig(const JsonDocument& document, int resolution);

/// timm's block strings `{arch_def, stem, head, act, bn_eps, resolution}`. Zero blocks are dropped.
/// Throws kInput "not expressible" for networks outside that grammar.
Json ToTimm(const Architecture& architecture);
Architecture ArchitectureFromTimm(const JsonDocument& document);

/// Reads any of the JSON forms by looking at it (also a run folder's arch.json); for a net.config that says no
/// resolution and has a `run.config` beside it, takes `image_size` from there.
Architecture LoadArchitecture(const std::string& path);
/// The same for a document that is in memory; a net.config gets its own or the default resolution.
Architecture ArchitectureFromAnyJson(const JsonDocument& document);

}  // namespace nas
