// SPDX-License-Identifier: Apache-2.0
#include "nas/core/hash.h"

#define XXH_INLINE_ALL
#include <fcntl.h>
#include <unistd.h>
#include <xxhash.h>

#include <cerrno>
#include <cstdint>
#include <vector>

#include "file_descriptor.h"

namespace nas {

namespace {

std::string ToHex(XXH128_hash_t hash) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(32);
  for (std::uint64_t half : {hash.high64, hash.low64}) {
    for (int shift = 60; shift >= 0; shift -= 4) hex += kDigits[(half >> shift) & 15u];
  }
  return hex;
}

}  // namespace

std::string Hash128Hex(std::string_view bytes) { return ToHex(XXH3_128bits(bytes.data(), bytes.size())); }

std::string HashFile(const std::filesystem::path& path) {
  const detail::FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) detail::ThrowCannotRead(path, errno);
  XXH3_state_t state;
  XXH3_INITSTATE(&state);
  XXH3_128bits_reset(&state);
  std::vector<char> buffer(std::size_t{1} << 20);
  for (;;) {
    const ssize_t count = ::read(file.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) detail::ThrowCannotRead(path, errno);
    if (count == 0) break;
    XXH3_128bits_update(&state, buffer.data(), static_cast<std::size_t>(count));
  }
  return ToHex(XXH3_128bits_digest(&state));
}

}  // namespace nas
