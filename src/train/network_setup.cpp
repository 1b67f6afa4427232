// SPDX-License-Identifier: Apache-2.0
#include "nas/train/network_setup.h"

#include <torch/torch.h>

#include <nlohmann/json.hpp>
#include <set>

#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas {
namespace {

/// Whether two tensors differ in their number of rows only: a classifier for another number of classes.
bool OtherRowsOnly(const at::Tensor& a, const at::Tensor& b) {
  return a.scalar_type() == b.scalar_type() && a.dim() == b.dim() && a.dim() > 0 &&
         a.sizes().slice(1) == b.sizes().slice(1);
}

std::string ShapeOf(const at::Tensor& tensor) { return StrCat(tensor.scalar_type(), " ", tensor.sizes()); }

}  // namespace

Architecture WithClasses(Architecture architecture, int classes) {
  if (architecture.classes() == classes) return architecture;
  Layer& last = architecture.layers.back();
  if (last.op != "linear") {
    ThrowInput(StrCat("the network ", architecture.name, " ends in a ", last.op, " of ", architecture.classes(),
                      " classes, which cannot be replaced for the ", classes,
                      " classes of the data; use one with a linear head"));
  }
  last.out_channels = classes;
  return architecture;
}

std::string LoadWeights(Network& network, const std::filesystem::path& path, bool may_differ_in_classifier) {
  const SafetensorsFile file = ReadSafetensors(path);
  const std::map<std::string, at::Tensor> given(file.tensors.begin(), file.tensors.end());
  const std::string head = network.architecture().layers.back().name + ".";
  std::set<std::string> known;
  NamedTensorList chosen;
  std::string notice;
  for (const auto& [name, tensor] : network.NamedTensors()) {
    known.insert(name);
    const auto it = given.find(name);
    if (it == given.end()) {
      ThrowInput(StrCat(path.string(), " has no tensor ", name, ", which the network ", network.architecture().name,
                        " needs; give the weights of this architecture"));
    }
    const bool fits = it->second.sizes() == tensor.sizes() && it->second.scalar_type() == tensor.scalar_type();
    if (fits) {
      chosen.emplace_back(name, it->second);
    } else if (may_differ_in_classifier && StartsWith(name, head) && OtherRowsOnly(it->second, tensor)) {
      chosen.emplace_back(name, tensor.detach().clone());
      if (notice.empty()) {
        notice = StrCat("the classifier of ", path.string(), " is for another number of classes (", name, " is ",
                        ShapeOf(it->second), ", here ", ShapeOf(tensor), ") and starts fresh");
      }
    } else {
      ThrowInput(StrCat(path.string(), ": tensor ", name, " is ", ShapeOf(it->second), ", but the network ",
                        network.architecture().name, " has ", ShapeOf(tensor),
                        "; give the weights of this architecture"));
    }
  }
  for (const auto& [name, tensor] : file.tensors) {
    if (!known.contains(name)) {
      ThrowInput(StrCat(path.string(), " has a tensor ", name, " that the network ", network.architecture().name,
                        " has not; give the weights of this architecture"));
    }
  }
  network.Load(chosen);
  return notice;
}

void WriteWeights(const std::filesystem::path& path, const Architecture& architecture, const NamedTensorList& tensors,
                  const std::map<std::string, std::string>& facts) {
  std::map<std::string, std::string> metadata = facts;
  metadata["nas.schema"] = "nas.weights/1";
  metadata["nas.arch"] = ToJson(architecture).dump();
  NamedTensorList on_host;
  for (const auto& [name, tensor] : tensors) on_host.emplace_back(name, tensor.detach().cpu().contiguous());
  WriteSafetensors(path, on_host, metadata);
}

}  // namespace nas
