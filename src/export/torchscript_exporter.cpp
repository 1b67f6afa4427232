// SPDX-License-Identifier: Apache-2.0
// BN is kept, so that the file can be trained on and its state_dict() has the published names.
#include <sstream>

#include <torch/script.h>

#include "builtin_exporters.h"
#include "compare.h"
#include "graph.h"
#include "model_facts.h"
#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/text.h"
#include "torchscript_code.h"

namespace nas::detail {
namespace {

using torch::jit::Module;

/// The modules that the dots of state-dict names imply.
struct Tree {
  std::vector<std::pair<std::string, Tree>> children;  ///< in network order
  std::vector<std::pair<std::string, at::Tensor>> tensors;

  Tree& Child(const std::string& name) {
    for (auto& [known, child] : children) {
      if (known == name) return child;
    }
    return children.emplace_back(name, Tree()).second;
  }

  void Fill(Module& module) const {
    module.register_attribute("training", c10::BoolType::get(), false);
    for (const auto& [name, tensor] : tensors) {
      const bool buffer = name.starts_with("running_") || name == "num_batches_tracked";
      module.register_parameter(name, tensor, buffer);
    }
    for (const auto& [name, child] : children) {
      Module below(c10::QualifiedName("__torch__.nas.Layer"), module._ivalue()->compilation_unit(),
                   /*shouldMangle=*/true);
      child.Fill(below);
      module.register_module(name, below);
    }
  }
};

Module MakeModule(const Network& network) {
  Tree root;
  for (const auto& [name, tensor] : network.NamedTensors()) {
    Tree* place = &root;
    const std::vector<std::string> parts = Split(name, '.');
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) place = &place->Child(parts[i]);
    // A tensor of its own: training the module must not change the network.
    at::Tensor copy = tensor.detach().clone();
    copy.set_requires_grad(tensor.requires_grad());
    place->tensors.emplace_back(parts.back(), copy);
  }
  Module module(c10::QualifiedName("__torch__.nas.Network"));
  root.Fill(module);
  module.define(TorchscriptForward(BuildGraph(network)));
  return module;
}

class TorchscriptExporter final : public Exporter {
 public:
  std::string_view format() const override { return "torchscript"; }

  void Export(const ExportModel& model, const std::filesystem::path& file) const override {
    torch::jit::ExtraFilesMap extra;
    for (const auto& [key, value] : ModelFacts(model)) extra[key] = value;
    std::ostringstream bytes;
    MakeModule(*model.network).save(bytes, extra);
    WriteFileAtomic(file, bytes.str());
  }

  VerifyResult Verify(const ExportModel& /*model*/, const std::filesystem::path& file,
                      const VerifyInputs& inputs) const override {
    const at::NoGradGuard no_grad;
    VerifyResult result;
    try {
      Module module = torch::jit::load(file.string());
      const auto run = [&](const at::Tensor& images) { return module.forward({images}).toTensor(); };
      const std::int64_t few = std::min<std::int64_t>(7, inputs.images.size(0));
      std::vector<at::Tensor> single;
      for (std::int64_t i = 0; i < few; ++i) single.push_back(run(inputs.images.narrow(0, i, 1)));
      const at::Tensor several = run(inputs.images.narrow(0, 0, few));
      const at::Tensor all = run(inputs.images);
      result.how = StrCat("LibTorch ", TORCH_VERSION, ", batches of 1, ", few, " and ", inputs.images.size(0));
      CompareLogits(all, inputs.logits, kFloatTolerance, &result);
      for (const at::Tensor& part : {several, at::cat(single)}) {
        if (!result.ok()) break;
        VerifyResult small;
        CompareLogits(part, inputs.logits.narrow(0, 0, few), kFloatTolerance, &small);
        result.fault = small.fault;
        result.max_difference = std::max(*result.max_difference, small.max_difference.value_or(0));
      }
    } catch (const c10::Error& error) {
      result.fault = StrCat("LibTorch refuses it: ", error.what_without_backtrace());
    }
    return result;
  }
};

}  // namespace

std::unique_ptr<Exporter> MakeTorchscriptExporter() { return std::make_unique<TorchscriptExporter>(); }

}  // namespace nas::detail
