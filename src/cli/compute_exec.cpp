// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "compute.h"
#include "nas/core/error.h"
#include "nas/core/text.h"
#include "session.h"

namespace nas::cli::compute {
namespace {

[[noreturn]] void ExecTorch(const Session& session) {
  const std::string program = (session.bin_dir.parent_path() / "libexec" / "nas-torch").string();
  std::vector<char*> arguments;
  for (const std::string& word : session.argv) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  execv(program.c_str(), arguments.data());
  throw Error(ErrorKind::kUnavailable, StrCat("cannot start ", program, ": ", std::strerror(errno),
                                              "; this build has no LibTorch part: run scripts/setup"));
}

}  // namespace

int Search(const SearchOptions&, const Session& session) { ExecTorch(session); }
int Train(const TrainOptions&, const Session& session) { ExecTorch(session); }
int Eval(const EvalOptions&, const Session& session) { ExecTorch(session); }
int EvalSupernet(const SupernetEvalOptions&, const Session& session) { ExecTorch(session); }
int Profile(const ProfileOptions&, const Session& session) { ExecTorch(session); }
int Bench(const BenchOptions&, const Session& session) { ExecTorch(session); }
int Export(const ExportOptions&, const Session& session) { ExecTorch(session); }
int Verify(const VerifyOptions&, const Session& session) { ExecTorch(session); }
int Doctor(const Session& session) { ExecTorch(session); }
int Version(const Session& session) { ExecTorch(session); }

}  // namespace nas::cli::compute
