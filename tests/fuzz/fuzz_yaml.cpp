// SPDX-License-Identifier: Apache-2.0
#include "fuzz_import.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  nas::fuzz::CheckImport("proxyless-yaml", bytes, size, {});
  nas::fuzz::CheckImport("ofa-yaml", bytes, size, {});
  return 0;
}
