// SPDX-License-Identifier: Apache-2.0
#include "support/torch_test.h"

#include "export/fixtures.h"

#include <algorithm>
#include <cstdlib>
#include <map>

#include "nas/core/files.h"
#include "nas/core/subprocess.h"
#include "nas/core/text.h"
#include "nas/data/loader.h"
#include "nas/space/search_space.h"
#include "nn/nn_support.h"

namespace nas::test {
namespace {

namespace fs = std::filesystem;

constexpr int kSide = 17;  // odd: windows hang over the edge
constexpr int kWidth = 8;

Layer MakeLayer(const std::string& op, int in, int out) {
  Layer layer;
  layer.op = op;
  layer.in_channels = in;
  layer.out_channels = out;
  return layer;
}

Layer Named(Layer layer, const std::string& name) {
  layer.name = name;
  return layer;
}

/// stem 3 → kWidth, the layers as blocks, pooling, classifier.
Architecture Around(const std::string& name, std::vector<Layer> blocks, Family family = Family::kProxyless) {
  Architecture a;
  a.name = name;
  a.family = family;
  a.resolution = kSide;
  Layer stem = Named(MakeLayer("conv", 3, kWidth), "first_conv");
  stem.kernel = 3;
  stem.act = Activation::kRelu6;
  a.layers.push_back(stem);
  int width = kWidth;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    blocks[i].name = StrCat("blocks.", i);
    width = blocks[i].out_channels;
    a.layers.push_back(blocks[i]);
  }
  a.layers.push_back(MakeLayer("global_avg_pool", width, width));
  Layer classifier = Named(MakeLayer("linear", width, 10), "classifier");
  classifier.use_bn = false;
  classifier.bias = true;
  a.layers.push_back(classifier);
  return a;
}

std::vector<Layer> OrderedLayers(const char* order) {
  Layer conv = MakeLayer("conv", kWidth, 16);
  conv.kernel = 3;
  conv.groups = 2;
  conv.stride = 2;
  conv.act = Activation::kRelu6;
  conv.ops_order = order;
  Layer shuffled = conv;
  shuffled.in_channels = 16;
  shuffled.groups = 4;
  shuffled.stride = 1;
  shuffled.shuffle = true;
  shuffled.bias = true;
  shuffled.dilation = 2;
  Layer identity = MakeLayer("identity", 16, 16);
  identity.act = Activation::kRelu;
  identity.ops_order = order;
  Layer pool = MakeLayer("pool", 16, 16);
  pool.kernel = 3;
  pool.pool = "avg";
  pool.act = Activation::kTanh;
  pool.ops_order = order;
  Layer separable = MakeLayer("depth_conv", 16, 12);
  separable.kernel = 3;
  separable.dilation = 2;
  separable.groups = 2;
  separable.act = Activation::kRelu;
  separable.ops_order = order;
  Layer mixed = separable;
  mixed.in_channels = 12;
  mixed.shuffle = true;
  mixed.stride = 2;
  return {conv, shuffled, identity, pool, separable, mixed};
}

std::vector<Layer> MbconvLayers(Activation act) {
  Layer plain = MakeLayer("mbconv", kWidth, kWidth);
  plain.kernel = 5;
  plain.mid_channels = 24;
  plain.expand_ratio = 3;
  plain.groups = 0;
  plain.act = act;
  plain.skip = true;
  Layer se = plain;
  se.use_se = true;
  se.stride = 2;
  se.skip = false;
  Layer unexpanded = plain;
  unexpanded.expand_ratio = 1;
  unexpanded.mid_channels = kWidth;
  Layer grouped = plain;
  grouped.groups = 3;
  grouped.kernel = 7;
  return {plain, se, unexpanded, grouped};
}

std::vector<Layer> OtherLayers() {
  Layer zero = MakeLayer("zero", kWidth, kWidth);
  zero.skip = true;
  Layer identity = MakeLayer("identity", kWidth, kWidth);
  identity.use_bn = false;
  Layer se = MakeLayer("conv", kWidth, kWidth);
  se.use_se = true;
  se.skip = true;
  se.act = Activation::kHSwish;
  Layer max_pool = MakeLayer("max_pool", kWidth, kWidth);
  max_pool.kernel = 3;
  max_pool.stride = 2;
  Layer same = MakeLayer("pool", kWidth, kWidth);
  same.kernel = 3;
  same.pool = "max";
  same.use_bn = false;
  Layer pool = same;
  pool.kernel = 2;
  pool.stride = 2;
  pool.pool = "avg";
  return {zero, identity, se, max_pool, same, pool, zero};
}

std::vector<Layer> BottleneckLayers(const char* mode) {
  Layer strided = MakeLayer("bottleneck", kWidth, 16);
  strided.kernel = 3;
  strided.stride = 2;
  strided.mid_channels = 4;
  strided.act = Activation::kRelu;
  strided.pool = mode;
  Layer kept = strided;
  kept.in_channels = 16;
  kept.stride = 1;
  kept.groups = 2;
  Layer wider = kept;
  wider.out_channels = 24;
  return {strided, kept, wider};
}

std::vector<Layer> TreeLayers() {
  Layer leaf = MakeLayer("conv", 4, 4);
  leaf.kernel = 3;
  leaf.ops_order = "bn_act_weight";
  leaf.act = Activation::kRelu;
  Layer none = MakeLayer("identity", 4, 4);
  none.use_bn = false;
  Layer node = MakeLayer("tree_node", kWidth, 4);
  node.split = "split";
  node.merge = "add";
  node.use_bn = true;
  node.children = {Named(leaf, "edges.0"), Named(none, "child_nodes.0"), Named(none, "edges.1"),
                   Named(leaf, "child_nodes.1")};
  Layer concat = node;
  concat.merge = "concat";
  concat.out_channels = kWidth;
  Layer bn = MakeLayer("identity", kWidth, kWidth);
  Layer shortcut = MakeLayer("identity", kWidth, kWidth);
  shortcut.use_bn = false;
  Layer residual = MakeLayer("residual_tree", kWidth, 16);
  residual.children = {Named(shortcut, "shortcut"), Named(bn, "in_bottle"), Named(node, "cell"),
                       Named(MakeLayer("conv", 4, 16), "out_bottle")};
  Layer transition = MakeLayer("transition", 16, 16);
  transition.children = {Named(MakeLayer("conv", 16, 16), "layers.0"),
                         Named(MakeLayer("identity", 16, 16), "layers.1")};
  return {concat, residual, transition};
}

/// A head without pooling whose linear layers flatten a map and have BN.
Architecture FlatHead() {
  Architecture a = Around("flat-head", {});
  a.layers.erase(a.layers.begin() + 1, a.layers.end());
  a.layers[0].stride = 2;
  Layer hidden = Named(MakeLayer("linear", kWidth * 9 * 9, 20), "feature_mix_layer");
  hidden.bias = true;
  hidden.act = Activation::kRelu;
  a.layers.push_back(hidden);
  a.layers.push_back(Named(MakeLayer("linear", 20, 10), "classifier"));
  return a;
}

/// Photographs of the real data in the folders of a data set, as links; false when there are none.
bool ArrangePhotographs(const fs::path& dir) {
  const char* data = std::getenv("NAS_TEST_DATA");
  if (data == nullptr) return false;
  fs::create_directories(dir / "raw");
  const SubprocessResult unpacked = RunSubprocess(
      {{"tar", "xf", std::string(data) + "/imagenet-samples.tar", "-C", (dir / "raw").string()}, "", 120, {}});
  if (unpacked.exit_code != 0) return false;
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(dir / "raw")) {
    if (entry.path().extension() == ".JPEG") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  const char* folders[] = {"train/a", "test/a", "train/b", "test/b"};
  for (const char* folder : folders) fs::create_directories(dir / "set" / folder);
  for (std::size_t i = 0; i < files.size() && i < 64; ++i) {
    fs::create_symlink(files[i], dir / "set" / folders[i % 4] / files[i].filename());
  }
  return files.size() >= 64;
}

}  // namespace

std::vector<Architecture> OpNetworks() {
  std::vector<Architecture> networks;
  for (const char* order :
       {"weight_bn_act", "bn_act_weight", "act_weight_bn", "weight_act_bn", "bn_weight_act", "act_bn_weight"}) {
    networks.push_back(Around(StrCat("ordered-", order), OrderedLayers(order)));
  }
  for (const Activation act : {Activation::kNone, Activation::kRelu, Activation::kRelu6, Activation::kTanh,
                               Activation::kSigmoid, Activation::kHSwish, Activation::kHSigmoid}) {
    networks.push_back(Around(StrCat("mbconv-", ToString(act)), MbconvLayers(act), Family::kMobileNetV3));
  }
  networks.push_back(Around("others", OtherLayers()));
  for (const char* mode : {"conv", "avgpool_conv"}) {
    networks.push_back(Around(StrCat("bottleneck-", mode), BottleneckLayers(mode), Family::kResNet));
  }
  networks.push_back(Around("tree", TreeLayers(), Family::kPyramidTree));
  networks.push_back(FlatHead());
  return networks;
}

std::vector<Architecture> SampledNetworks(const std::string& name, int count, int resolution) {
  const SearchSpace space = LoadSpace(name, {1.0, resolution, 0});
  CounterRng rng(11);
  std::vector<Architecture> networks;
  for (int i = 0; i < count; ++i) {
    networks.push_back(space.Build(space.Sample(rng)));
    networks.back().name = StrCat(name, "-", networks.back().code);
  }
  return networks;
}

Network DisturbedNetwork(const Architecture& architecture, std::uint64_t seed) {
  Network network(architecture, seed);
  Disturb(network.NamedTensors());
  return network;
}

at::Tensor Pictures(std::int64_t n, int side) {
  static std::map<std::pair<std::int64_t, int>, at::Tensor> known;
  static const TempDir dir;
  static const bool photographs = ArrangePhotographs(dir.path());
  at::Tensor& pictures = known[{n, side}];
  if (pictures.defined()) return pictures;
  if (!photographs) WARN("no real photographs (NAS_TEST_DATA): pictures of the demo set instead");
  const DataSplits data = OpenData({.spec = photographs ? (dir.path() / "set").string() : "demo", .threads = 2});
  LoaderOptions options;
  options.batch = static_cast<int>(n);
  options.resolution = side;
  options.small_images = data.small_images;
  Loader loader(data.test, options);
  Batch batch;
  loader.Next(&batch);
  pictures = batch.images.contiguous().clone();
  return pictures;
}

ExportModel ModelOf(const Network& network) {
  ExportModel model;
  model.network = &network;
  model.image_steps = {36, 32, {0.5F, 0.5F, 0.5F}, {0.25F, 0.25F, 0.25F}};
  for (int i = 0; i < network.architecture().classes(); ++i) model.class_names.push_back(StrCat("class ", i));
  model.weights = "random";
  return model;
}

std::string PythonWith(const std::string& modules) {
  const std::string python = std::string(NAS_SOURCE_DIR) + "/.venv/bin/python";
  static std::map<std::string, bool> known;
  const auto [entry, is_new] = known.emplace(modules, false);
  if (is_new) entry->second = RunSubprocess({{python, "-c", "import " + modules}, "", 120, {}}).exit_code == 0;
  if (!entry->second) WARN("skipped: " << python << " cannot import " << modules << "; scripts/test installs them");
  return entry->second ? python : "";
}

}  // namespace nas::test
