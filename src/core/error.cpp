// SPDX-License-Identifier: Apache-2.0
#include "nas/core/error.h"

namespace nas {

int ExitCode(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInternal:
      return 1;
    case ErrorKind::kUsage:
      return 2;
    case ErrorKind::kInput:
      return 3;
    case ErrorKind::kInfeasible:
      return 4;
    case ErrorKind::kUnavailable:
      return 5;
    case ErrorKind::kVerification:
      return 6;
    case ErrorKind::kTraining:
      return 7;
    case ErrorKind::kCheckpointed:
      return 75;
    case ErrorKind::kInterrupted:
      return 130;
  }
  return 1;
}

void ThrowUsage(const std::string& message) { throw Error(ErrorKind::kUsage, message); }
void ThrowInput(const std::string& message) { throw Error(ErrorKind::kInput, message); }
void ThrowInternal(const std::string& message) { throw Error(ErrorKind::kInternal, message); }

}  // namespace nas
