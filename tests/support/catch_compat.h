// SPDX-License-Identifier: Apache-2.0
// Catch2 v2 or v3, whichever is installed. Tests that need LibTorch include torch_test.h instead, which orders the two.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
#else
#include <catch2/catch.hpp>
#endif
