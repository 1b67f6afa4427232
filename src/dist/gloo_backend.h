// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

namespace nas::detail {

/// A Gloo group whose ranks meet through `store`; `address`: this machine's own one, by which the others reach it.
c10::intrusive_ptr<c10d::Backend> MakeGlooBackend(const c10::intrusive_ptr<c10d::Store>& store, int rank, int size,
                                                  const std::string& address, std::chrono::milliseconds timeout);

/// Why no group can be made at `address`; "" = it can.
std::string GlooFault(const std::string& address);

}  // namespace nas::detail
