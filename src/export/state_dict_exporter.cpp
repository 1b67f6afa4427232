// SPDX-License-Identifier: Apache-2.0
// `init` of the published ProxylessNAS and OFA networks: what torch.save({"state_dict": …}) writes.
#include <ATen/ATen.h>
#include <torch/csrc/jit/serialization/pickle.h>

#include "builtin_exporters.h"
#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/text.h"
#include "read_back.h"

namespace nas::detail {
namespace {

constexpr char kKey[] = "state_dict";
using StateDict = c10::Dict<std::string, at::Tensor>;

NamedTensorList ReadStateDict(const std::filesystem::path& file) {
  const std::string bytes = ReadFile(file);
  try {
    const c10::IValue value = torch::jit::pickle_load({bytes.begin(), bytes.end()});
    NamedTensorList tensors;
    for (const auto& entry : value.toGenericDict().at(kKey).toGenericDict()) {
      tensors.emplace_back(entry.key().toStringRef(), entry.value().toTensor());
    }
    return tensors;
  } catch (const std::exception& error) {
    const std::string text = error.what();
    ThrowInput(StrCat(file.string(), " cannot be read back: ", text.substr(0, text.find('\n'))));
  }
}

class StateDictExporter final : public Exporter {
 public:
  std::string_view format() const override { return "state-dict"; }

  void Export(const ExportModel& model, const std::filesystem::path& file) const override {
    StateDict tensors;
    for (const auto& [name, tensor] : PlainTensors(*model.network)) tensors.insert(name, tensor);
    c10::Dict<std::string, StateDict> whole;
    whole.insert(kKey, tensors);
    const std::vector<char> bytes = torch::jit::pickle_save(whole);
    WriteFileAtomic(file, {bytes.data(), bytes.size()});
  }

  VerifyResult Verify(const ExportModel& model, const std::filesystem::path& file,
                      const VerifyInputs& inputs) const override {
    return CompareReadBack(model, inputs, [&] { return ReadStateDict(file); });
  }
};

}  // namespace

std::unique_ptr<Exporter> MakeStateDictExporter() { return std::make_unique<StateDictExporter>(); }

}  // namespace nas::detail
