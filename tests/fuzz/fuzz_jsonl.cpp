// SPDX-License-Identifier: Apache-2.0
#include "fuzz_import.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  nas::ImportOptions options;
  options.width = 1.2;
  options.batch = 1;
  nas::fuzz::CheckImport("nets-jsonl", bytes, size, options);
  return 0;
}
