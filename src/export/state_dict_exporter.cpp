// SPDX-License-Identifier: Apache-2.0
// `init` of the published ProxylessNAS and OFA networks: what torch.save({"state_dict": …}) writes.
#include <ATen/ATen.h>
#include <caffe2/serialize/inline_container.h>
#include <torch/csrc/jit/serialization/pickle.h>
#include <torch/csrc/jit/serialization/pickler.h>

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

/// torch::pickle_save tags each dictionary with its type by a function that torch.load(weights_only=True) does not
/// trust.
std::string PickleWithoutTags(const c10::IValue& value) {
  std::string file;
  const auto append = [&](const void* bytes, std::size_t count) {
    file.append(static_cast<const char*>(bytes), count);
    return count;
  };
  caffe2::serialize::PyTorchStreamWriter writer(append);
  std::string pickled;
  std::size_t tensors = 0;
  torch::jit::Pickler pickler([&](const char* bytes, std::size_t count) { pickled.append(bytes, count); },
                              /*tensor_table=*/nullptr, /*type_renamer=*/nullptr, /*memoized_class_types=*/nullptr,
                              /*get_tensor_id=*/[&](const at::Tensor&) { return std::to_string(tensors++); },
                              /*tag_aggregates=*/false);
  pickler.protocol();
  pickler.pushIValue(value);
  pickler.stop();
  writer.writeRecord("data.pkl", pickled.data(), pickled.size());
  std::size_t index = 0;
  for (const at::Tensor& tensor : pickler.tensorData()) {
    writer.writeRecord(StrCat("data/", index++), tensor.storage().data(), tensor.storage().nbytes());
  }
  writer.writeEndOfFile();
  return file;
}

class StateDictExporter final : public Exporter {
 public:
  std::string_view format() const override { return "state-dict"; }

  void Export(const ExportModel& model, const std::filesystem::path& file) const override {
    StateDict tensors;
    for (const auto& [name, tensor] : PlainTensors(*model.network)) tensors.insert(name, tensor);
    c10::Dict<std::string, StateDict> whole;
    whole.insert(kKey, tensors);
    WriteFileAtomic(file, PickleWithoutTags(whole));
  }

  VerifyResult Verify(const ExportModel& model, const std::filesystem::path& file,
                      const VerifyInputs& inputs) const override {
    return CompareReadBack(model, inputs, [&] { return ReadStateDict(file); });
  }
};

}  // namespace

std::unique_ptr<Exporter> MakeStateDictExporter() { return std::make_unique<StateDictExporter>(); }

}  // namespace nas::detail
