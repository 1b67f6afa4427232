// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "nas/core/error.h"
#include "nas/latency/latency_model.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  try {
    const nas::LatencyTable table = nas::TableFromText(text, "fuzz");
    // What is read is written and read again without loss, and predicts or refuses.
    const std::string written = nas::TableToText(table);
    if (nas::TableToText(nas::TableFromText(written, "again")) != written) std::abort();
    const nas::LatencyModel model(table);
    const nas::BlockPrediction block = model.PredictBlock(nas::ParseBlockKey("mbconv:56,24,28,40,144,5,2,0,0,relu6"));
    if (!std::isfinite(block.ms) || block.ms < 0 || !std::isfinite(block.sigma) || block.sigma < 0) std::abort();
    const nas::NetworkPrediction net = model.PredictKeys({block.key}, 224);
    if (!std::isfinite(net.ms) || net.ms < 0 || !std::isfinite(net.half_width)) std::abort();
  } catch (const nas::Error& error) {
    if (error.kind() != nas::ErrorKind::kInput && error.kind() != nas::ErrorKind::kUsage) std::abort();
  }
  return 0;
}
