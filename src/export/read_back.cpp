// SPDX-License-Identifier: Apache-2.0
#include "read_back.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "compare.h"
#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas::detail {

NamedTensorList PlainTensors(const Network& network) {
  NamedTensorList tensors;
  for (const auto& [name, tensor] : network.NamedTensors()) {
    tensors.emplace_back(name, tensor.detach().to(at::kCPU).contiguous(at::MemoryFormat::Contiguous));
  }
  return tensors;
}

VerifyResult CompareReadBack(const ExportModel& model, const VerifyInputs& inputs,
                             const std::function<NamedTensorList()>& read) {
  const at::NoGradGuard no_grad;
  VerifyResult result;
  result.how = "read back into a fresh network, LibTorch";
  try {
    Network fresh(model.network->architecture(), /*seed=*/1);
    fresh.Load(read());
    CompareLogits(fresh.Forward(inputs.images, BnMode::kEval), inputs.logits, /*tolerance=*/0, &result);
  } catch (const Error& error) {
    result.fault = error.what();
  }
  return result;
}

VerifyResult CompareArchitecture(const ExportModel& model, const std::function<Architecture()>& read) {
  const Architecture& wanted = model.network->architecture();
  VerifyResult result;
  result.how = "read back, params and MACs recounted";
  try {
    const Architecture got = read();
    if (got.resolution != wanted.resolution || got.classes() != wanted.classes()) {
      result.fault = StrCat("it reads as ", got.classes(), " classes at ", got.resolution, " px, not ",
                            wanted.classes(), " at ", wanted.resolution);
    } else if (CountParams(got) != CountParams(wanted) || CountMacs(got).value != CountMacs(wanted).value) {
      result.fault = StrCat("it reads as ", CountParams(got), " params and ", CountMacs(got).value, " MACs, not ",
                            CountParams(wanted), " and ", CountMacs(wanted).value);
    }
  } catch (const Error& error) {
    result.fault = error.what();
  }
  return result;
}

}  // namespace nas::detail
