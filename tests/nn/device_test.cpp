// SPDX-License-Identifier: Apache-2.0
#include "support/torch_test.h"

#include "nas/core/error.h"
#include "nas/nn/device.h"

namespace nas::test {

TEST_CASE("device words", "[nn]") {
  CHECK(ResolveDevice("cpu") == at::Device(at::kCPU));
  CHECK(ResolveDevice("auto").is_cuda() == torch::cuda::is_available());
  for (const char* word : {"", "gpu", "cuda:", "cuda:-1", "cuda:1x", "CUDA", "cpu:0"}) {
    INFO(word);
    try {
      ResolveDevice(word);
      FAIL("accepted");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::kUsage);
    }
  }
  try {
    ResolveDevice("cuda:99");
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kUnavailable);
  }
}

TEST_CASE("thread scope restores the number of threads", "[nn]") {
  const int before = at::get_num_threads();
  {
    const ThreadScope scope(1);
    CHECK(at::get_num_threads() == 1);
  }
  CHECK(at::get_num_threads() == before);
}

}  // namespace nas::test
