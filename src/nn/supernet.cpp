// SPDX-License-Identifier: Apache-2.0
#include "nas/nn/supernet.h"

#include <optional>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "block.h"
#include "gate_probe.h"
#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/nn/state_dict.h"
#include "network_impl.h"
#include "tensor_list.h"
#include "weight_init.h"

namespace nas {
namespace {

/// One candidate of an edge; without a block once it is removed.
struct Candidate {
  std::optional<detail::Block> block;
  std::vector<detail::NamedTensor> tensors;
  std::vector<std::pair<std::string, at::Tensor>> parameters;
  /// Its output is nothing but the shortcut: y = x.
  bool passes_on = false;
};

struct MixedEdge {
  std::vector<Candidate> candidates;
  /// y = x + Σ g_k·o_k: every candidate has the identity shortcut, which then stands outside the gates.
  bool outer_shortcut = false;
};

/// A fixed layer, or (edge ≥ 0) the place of a searched edge.
struct Place {
  std::optional<detail::Block> block;
  std::string prefix;
  std::vector<detail::NamedTensor> tensors;  ///< of a fixed layer
  int edge = -1;
};

bool PassesOn(const Layer& layer) {
  if (layer.op == "zero") return layer.skip;
  return layer.op == "identity" && !layer.skip && !layer.use_bn && layer.act == Activation::kNone;
}

}  // namespace

struct Supernet::Impl {
  Impl(const SearchSpace& s, KernelMode k) : space(s), kernels(k) {}

  Candidate& At(int edge, int op);
  const Candidate& At(int edge, int op) const { return const_cast<Impl*>(this)->At(edge, op); }
  detail::Block& BlockAt(int edge, int op);
  void CheckPath(std::size_t edges) const;
  /// o_k of y = [x +] Σ g_k·o_k; undefined for 0.
  at::Tensor GateOutput(int edge, int op, const at::Tensor& x);
  at::Tensor ForwardEdge(int edge, const EdgeSample& sample, GateMode mode, const at::Tensor& x,
                         const at::Tensor& anchor, const at::Tensor& gates);
  std::vector<detail::NamedTensor> AllTensors() const;

  SearchSpace space;
  KernelMode kernels;
  std::vector<Place> places;
  std::vector<MixedEdge> edges;
  std::vector<detail::NamedTensor> fixed;
  std::vector<std::pair<std::string, at::Tensor>> fixed_parameters;
  at::Device device = at::kCPU;
  at::ScalarType dtype = at::kFloat;
};

Candidate& Supernet::Impl::At(int edge, int op) {
  if (edge < 0 || edge >= static_cast<int>(edges.size()) || op < 0 ||
      op >= static_cast<int>(edges[static_cast<std::size_t>(edge)].candidates.size())) {
    ThrowInternal(StrCat("the supernet has no op ", op, " on edge ", edge));
  }
  return edges[static_cast<std::size_t>(edge)].candidates[static_cast<std::size_t>(op)];
}

detail::Block& Supernet::Impl::BlockAt(int edge, int op) {
  Candidate& candidate = At(edge, op);
  if (!candidate.block) ThrowInternal(StrCat("op ", op, " of edge ", edge, " was removed from the supernet"));
  return *candidate.block;
}

void Supernet::Impl::CheckPath(std::size_t given) const {
  if (given != edges.size()) ThrowInternal(StrCat("a path of ", given, " edges for a supernet of ", edges.size()));
}

at::Tensor Supernet::Impl::GateOutput(int edge, int op, const at::Tensor& x) {
  detail::Block& block = BlockAt(edge, op);
  if (!edges[static_cast<std::size_t>(edge)].outer_shortcut) return block.Forward(x, BnMode::kProbe);
  return At(edge, op).passes_on ? at::Tensor() : block.op().Forward(x, BnMode::kProbe);
}

at::Tensor Supernet::Impl::ForwardEdge(int edge, const EdgeSample& sample, GateMode mode, const at::Tensor& x,
                                       const at::Tensor& anchor, const at::Tensor& gates) {
  std::vector<int> others;
  if (mode == GateMode::kTwo) {
    if (sample.inactive >= 0) others.push_back(sample.inactive);
  } else {
    const MixedEdge& mixed = edges[static_cast<std::size_t>(edge)];
    for (int op = 0; op < static_cast<int>(mixed.candidates.size()); ++op) {
      if (op != sample.active && mixed.candidates[static_cast<std::size_t>(op)].block) others.push_back(op);
    }
  }
  if (others.empty()) return BlockAt(edge, sample.active).Forward(x, BnMode::kProbe);

  const bool outer_shortcut = edges[static_cast<std::size_t>(edge)].outer_shortcut;
  auto probe = c10::make_intrusive<detail::EdgeProbe>();
  probe->gates = gates;
  probe->edge = edge;
  for (const int op : others) {
    if (outer_shortcut && At(edge, op).passes_on) continue;  // G = 0
    if (mode == GateMode::kFullV2) {
      probe->input = x.detach();
      probe->late.emplace_back(op, [this, edge, op](const at::Tensor& input) { return GateOutput(edge, op, input); });
    } else {
      const at::NoGradGuard no_grad;
      probe->outputs.emplace_back(op, GateOutput(edge, op, x));
    }
  }
  const at::Tensor active = GateOutput(edge, sample.active, x);
  if (!active.defined()) return detail::PassThrough(x, anchor, std::move(probe));
  probe->outputs.emplace_back(sample.active, active.detach());
  const at::Tensor y = detail::PassThrough(active, anchor, std::move(probe));
  return outer_shortcut ? y + x : y;
}

std::vector<detail::NamedTensor> Supernet::Impl::AllTensors() const {
  std::vector<detail::NamedTensor> all;
  for (const Place& place : places) {
    if (place.edge < 0) {
      detail::Append(&all, detail::CollectTensors(place.block->op(), place.prefix));
    } else {
      for (const Candidate& candidate : edges[static_cast<std::size_t>(place.edge)].candidates) {
        detail::Append(&all, candidate.tensors);
      }
    }
  }
  return all;
}

Supernet::Supernet(const SearchSpace& space, std::uint64_t seed, KernelMode kernels)
    : impl_(std::make_unique<Impl>(space, kernels)) {
  const Architecture& base = space.base();
  std::vector<int> edge_of(base.layers.size(), -1);
  for (std::size_t e = 0; e < space.edges().size(); ++e) {
    edge_of.at(static_cast<std::size_t>(space.edges()[e].layer)) = static_cast<int>(e);
  }
  impl_->edges.resize(space.edges().size());
  for (std::size_t i = 0; i < base.layers.size(); ++i) {
    Place place;
    place.edge = edge_of[i];
    if (place.edge < 0) {
      place.block.emplace(base.layers[i], base.bn);
      detail::SetKernelMode(place.block->op(), kernels);
      place.prefix = StateDictPrefix(base.family, base.layers[i]);
      place.tensors = detail::CollectTensors(place.block->op(), place.prefix);
      detail::Append(&impl_->fixed, place.tensors);
    } else {
      const Edge& edge = space.edges()[static_cast<std::size_t>(place.edge)];
      MixedEdge& mixed = impl_->edges[static_cast<std::size_t>(place.edge)];
      mixed.outer_shortcut = true;
      for (std::size_t k = 0; k < edge.candidates.size(); ++k) {
        const Layer& layer = edge.candidates[k];
        Candidate& candidate = mixed.candidates.emplace_back();
        candidate.block.emplace(layer, base.bn);
        detail::SetKernelMode(candidate.block->op(), kernels);
        candidate.tensors = detail::CollectTensors(candidate.block->op(), StrCat(base.layers[i].name, ".op", k));
        candidate.parameters = detail::ToPairs(candidate.tensors, /*trained_only=*/true);
        candidate.passes_on = PassesOn(layer);
        mixed.outer_shortcut = mixed.outer_shortcut && (layer.skip || candidate.passes_on);
      }
    }
    impl_->places.push_back(std::move(place));
  }
  impl_->fixed_parameters = detail::ToPairs(impl_->fixed, /*trained_only=*/true);
  const std::vector<detail::NamedTensor> all = impl_->AllTensors();
  detail::InitializeTensors(all, seed);
  detail::RequireGradients(all);
}

Supernet::~Supernet() = default;

const SearchSpace& Supernet::space() const { return impl_->space; }

at::Tensor Supernet::Forward(const at::Tensor& images, const Choice& choice, BnMode mode) {
  impl_->CheckPath(choice.size());
  at::Tensor x = images.contiguous(at::MemoryFormat::ChannelsLast);
  for (Place& place : impl_->places) {
    detail::Block& block =
        place.edge < 0 ? *place.block : impl_->BlockAt(place.edge, choice[static_cast<std::size_t>(place.edge)]);
    x = block.Forward(x, mode);
  }
  return x;
}

ArchForward Supernet::ForwardGated(const at::Tensor& images, const std::vector<EdgeSample>& sample, GateMode mode) {
  impl_->CheckPath(sample.size());
  std::vector<int> ops;
  for (const MixedEdge& edge : impl_->edges) ops.push_back(static_cast<int>(edge.candidates.size()));
  const at::TensorOptions options =
      at::TensorOptions(impl_->device).dtype(impl_->dtype == at::kDouble ? at::kDouble : at::kFloat);
  auto gates = std::make_shared<detail::GateBuffer>(std::move(ops), options);

  // No weight gradients: autograd then keeps nothing in front of the first probed edge, and backward computes data
  // gradients only.
  std::vector<at::Tensor> weights;
  for (const auto& [name, tensor] : impl_->fixed_parameters) weights.push_back(tensor);
  for (std::size_t e = 0; e < sample.size(); ++e) {
    for (const auto& [name, tensor] : impl_->At(static_cast<int>(e), sample[e].active).parameters) {
      weights.push_back(tensor);
    }
  }
  const detail::FrozenScope frozen(std::move(weights));
  const at::AutoGradMode with_graph(true);
  const at::Tensor anchor = at::zeros({}, options).requires_grad_(true);
  at::Tensor x = images.detach().contiguous(at::MemoryFormat::ChannelsLast);
  for (Place& place : impl_->places) {
    if (place.edge < 0) {
      x = place.block->Forward(x, BnMode::kProbe);
    } else {
      x = impl_->ForwardEdge(place.edge, sample[static_cast<std::size_t>(place.edge)], mode, x, anchor, gates->gates());
    }
  }
  if (!x.requires_grad()) x = detail::PassThrough(x, anchor, c10::make_intrusive<detail::EdgeProbe>());
  return {x, std::move(gates)};
}

void Supernet::To(const at::Device& device) {
  detail::MoveTensors(impl_->AllTensors(), device);
  impl_->device = device;
}

void Supernet::To(at::ScalarType dtype) {
  detail::ConvertTensors(impl_->AllTensors(), dtype);
  impl_->dtype = dtype;
}

at::Device Supernet::device() const { return impl_->device; }

const std::vector<std::pair<std::string, at::Tensor>>& Supernet::FixedParameters() const {
  return impl_->fixed_parameters;
}

const std::vector<std::pair<std::string, at::Tensor>>& Supernet::CandidateParameters(int edge, int op) const {
  return impl_->At(edge, op).parameters;
}

std::vector<PathTensor> Supernet::PathTensors(const Choice& choice) const {
  impl_->CheckPath(choice.size());
  std::vector<PathTensor> path;
  for (const Place& place : impl_->places) {
    if (place.edge < 0) {
      detail::AppendPath(&path, place.tensors, -1, -1);
    } else {
      const int op = choice[static_cast<std::size_t>(place.edge)];
      detail::AppendPath(&path, impl_->At(place.edge, op).tensors, place.edge, op);
    }
  }
  return path;
}

std::vector<std::pair<std::string, at::Tensor>> Supernet::NamedTensors() const {
  return detail::ToPairs(impl_->AllTensors(), /*trained_only=*/false);
}

void Supernet::Load(const std::vector<std::pair<std::string, at::Tensor>>& tensors) {
  detail::LoadTensors(impl_->AllTensors(), tensors);
}

std::int64_t Supernet::Remove(int edge, int op) {
  Candidate& candidate = impl_->At(edge, op);
  const std::int64_t bytes = detail::CountBytes(candidate.tensors);
  candidate.parameters.clear();
  candidate.tensors.clear();
  candidate.block.reset();
  return bytes;
}

bool Supernet::IsRemoved(int edge, int op) const { return !impl_->At(edge, op).block.has_value(); }

Network Supernet::Extract(const Choice& choice) const {
  impl_->CheckPath(choice.size());
  Network network;
  network.impl_ = std::make_unique<Network::Impl>(impl_->space.Build(choice));
  for (detail::Block& block : network.impl_->blocks) detail::SetKernelMode(block.op(), impl_->kernels);
  network.To(impl_->device);
  network.To(impl_->dtype);
  for (std::size_t i = 0; i < impl_->places.size(); ++i) {
    const Place& place = impl_->places[i];
    const detail::Block& source =
        place.edge < 0 ? *place.block : impl_->BlockAt(place.edge, choice[static_cast<std::size_t>(place.edge)]);
    detail::CopyTensors(detail::CollectTensors(source.op(), ""),
                        detail::CollectTensors(network.impl_->blocks[i].op(), ""));
  }
  detail::RequireGradients(network.impl_->tensors);
  return network;
}

}  // namespace nas
