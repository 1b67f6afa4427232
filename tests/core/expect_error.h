// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <string>

#include "nas/core/error.h"

namespace nas::testing {

/// The message of the `nas::Error` of this kind that `action` throws; else a text that no test expects.
template <typename Action>
std::string MessageOf(ErrorKind kind, const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    if (error.kind() == kind) return error.what();
    return std::string("(another kind) ") + error.what();
  } catch (const std::exception& error) {
    return std::string("(not a nas::Error) ") + error.what();
  }
  return "(no error)";
}

}  // namespace nas::testing
