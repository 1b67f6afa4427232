// SPDX-License-Identifier: Apache-2.0
#include "cluster_env.h"

#include <cstdlib>
#include <filesystem>

#include "nas/core/error.h"
#include "nas/core/hash.h"
#include "nas/core/run_folder.h"
#include "nas/core/text.h"

namespace nas::cli {
namespace {

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

int NumberIn(const char* name) {
  long long number = 0;
  return ParseInt(Variable(name), &number) && number > 0 && number < 1'000'000 ? static_cast<int>(number) : 0;
}

}  // namespace

std::string OwnJob() {
  const std::string array = Variable("SLURM_ARRAY_JOB_ID");
  const std::string task = Variable("SLURM_ARRAY_TASK_ID");
  return array.empty() || task.empty() ? Variable("SLURM_JOB_ID") : StrCat(array, "_", task);
}

JobIdentity ReadJobIdentity() {
  JobIdentity identity;
  identity.job = OwnJob();
  identity.restart = NumberIn("SLURM_RESTART_COUNT");
  return identity;
}

bool RestartedByLauncher() { return NumberIn("SLURM_RESTART_COUNT") > 0 || NumberIn("TORCHELASTIC_RESTART_COUNT") > 0; }

std::string ProgramBuild(const Session& session) {
  const std::filesystem::path torch = session.bin_dir.parent_path() / "libexec" / "nas-torch";
  std::error_code ignored;
  if (!std::filesystem::exists(torch, ignored)) return "";
  return HashFile(torch).substr(0, 16);
}

void CheckSubmittedBuild(const Session& session) {
  const std::string submitted = Variable("NAS_SUBMITTED_BUILD");
  if (submitted.empty()) return;
  const std::string here = ProgramBuild(session);
  if (here == submitted) return;
  ThrowInput(StrCat("the program was built again since this job was submitted (", here, " instead of ", submitted,
                    "): submit it again, or give nas submit --allow-new-binary"));
}

int WithJournal(const Session& session, const std::string& out, bool resume, Progress* progress,
                const std::function<int(Progress*, const std::function<void()>& fence)>& work, int ranks) {
  CheckSubmittedBuild(session);
  JobIdentity identity = ReadJobIdentity();
  identity.ranks = ranks;
  RunJournal journal(progress, identity);
  std::error_code ignored;
  const bool finished = !out.empty() && std::filesystem::exists(std::filesystem::path(out) / "result.json", ignored);
  if (!out.empty() && !finished) {
    if (resume) {
      journal.Open(out);
    } else if (!RunFolder::IsRun(out)) {
      journal.OpenWhenMade(out);
    }
  }
  try {
    const int exit = work(&journal, [&journal] { journal.CheckOwner(); });
    journal.End(exit, "");
    return exit;
  } catch (const Error& error) {
    journal.End(ExitCode(error.kind()), error.what());
    throw;
  } catch (const std::exception& error) {
    const std::string text = error.what();
    journal.End(ExitCode(ErrorKind::kInternal), text.substr(0, text.find('\n')));
    throw;
  }
}

}  // namespace nas::cli
