// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "nas/export/exporter.h"
#include "nas/nn/safetensors.h"

namespace nas::detail {

/// The network's tensors by state-dict name, contiguous, on the CPU, free of autograd.
NamedTensorList PlainTensors(const Network& network);

/// Loads what `read` returns into a fresh network of the same architecture and runs the images: bit for bit the
/// network's logits, or a fault.
VerifyResult CompareReadBack(const ExportModel& model, const VerifyInputs& inputs,
                             const std::function<NamedTensorList()>& read);

/// Reads an architecture back and compares what is the same in every form: params, MACs, resolution and classes.
VerifyResult CompareArchitecture(const ExportModel& model, const std::function<Architecture()>& read);

}  // namespace nas::detail
