// SPDX-License-Identifier: Apache-2.0
#include "support/torch_test.h"

#include <cstdlib>
#include <filesystem>
#include <map>

#include "nas/nn/network.h"
#include "nn/nn_support.h"

namespace nas::test {

TEST_CASE("published networks build with their parameter counts", "[nn]") {
  const char* data = std::getenv("NAS_TEST_DATA");
  if (data == nullptr) {
    WARN("NAS_TEST_DATA is not set: published networks are not tested");
    return;
  }
  const std::filesystem::path nets = std::filesystem::path(data) / "nets";
  const std::map<std::string, std::int64_t> params{{"proxyless_mobile.config", 4'080'512},
                                                   {"proxyless_cpu.config", 4'361'648},
                                                   {"proxyless_gpu.config", 7'119'848},
                                                   {"proxyless_mobile_14.config", 6'857'568},
                                                   {"ofa_flops-595M_top1-80.0_finetune-75/net.config", 9'135'928},
                                                   {"ofa_note10_lat-30ms_top1-78.4_finetune-75/net.config", 7'465'896},
                                                   {"ofa_pixel1_lat-40ms_top1-74.9_finetune-25/net.config", 6'024'176},
                                                   {"ofa_cpu_lat-15ms_top1-74.6_finetune-25/net.config", 4'875'704},
                                                   {"ofa_v100_gpu64-9ms_top1-75.3_finetune-25/net.config", 5'186'720}};
  for (const auto& [file, wanted] : params) {
    INFO(file);
    Network network(LoadArchitecture((nets / file).string()), 0);
    std::int64_t count = 0;
    bool original_names = false;
    bool se_names = false;
    for (const auto& [name, tensor] : network.NamedParameters()) {
      count += tensor.numel();
      original_names = original_names || name == "blocks.1.mobile_inverted_conv.depth_conv.conv.weight";
      se_names = se_names || name.ends_with("conv.depth_conv.se.fc.reduce.bias");
    }
    CHECK(count == wanted);
    const bool v3 = network.architecture().family == Family::kMobileNetV3;
    CHECK(original_names == !v3);
    CHECK(se_names == v3);
    const at::NoGradGuard no_grad;
    const at::Tensor images = Images(1, network.architecture().resolution, 1);
    const at::Tensor logits = network.Forward(images, BnMode::kEval);
    CHECK(logits.sizes() == at::IntArrayRef({1, 1000}));
    CHECK(at::isfinite(logits).all().item<bool>());
    CHECK(RelativeError(network.Folded().Forward(images, BnMode::kEval), logits) < 1e-4);
  }
}

}  // namespace nas::test
