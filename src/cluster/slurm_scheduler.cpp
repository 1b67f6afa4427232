// SPDX-License-Identifier: Apache-2.0
#include "nas/cluster/scheduler.h"
#include "nas/core/error.h"
#include "nas/core/subprocess.h"
#include "nas/core/text.h"

namespace nas {
namespace {

constexpr double kAnswerSeconds = 10;
constexpr double kSubmitSeconds = 60;

SubprocessResult Ask(const std::vector<std::string>& argv, double deadline_s = kAnswerSeconds) {
  SubprocessOptions options;
  options.argv = argv;
  options.deadline_s = deadline_s;
  const SubprocessResult result = RunSubprocess(options);
  if (result.exit_code == 127) {
    throw Error(ErrorKind::kUnavailable, StrCat("there is no ", argv[0], " on PATH: no Slurm here; give --local"));
  }
  if (result.timed_out) {
    throw Error(ErrorKind::kUnavailable,
                StrCat(argv[0], " did not answer within ", deadline_s, " s; is the batch system up?"));
  }
  return result;
}

/// The last line that says something, without the program's name in front.
std::string Sentence(const SubprocessResult& result) {
  std::string sentence = "no reason given";
  for (const std::string& line : Split(result.err, '\n')) {
    if (!Trim(line).empty()) sentence = Trim(line);
  }
  for (const char* prefix : {"sbatch: ", "error: ", "squeue: ", "scancel: ", "slurm_load_jobs error: "}) {
    if (StartsWith(sentence, prefix)) sentence = sentence.substr(std::string(prefix).size());
  }
  return sentence;
}

bool IsGone(const std::string& err) {
  const std::string text = ToLower(err);
  return text.find("invalid job id") != std::string::npos || text.find("already completing") != std::string::npos ||
         text.find("already completed") != std::string::npos || text.find("job/step already") != std::string::npos;
}

std::string Known(const std::string& field) {
  return field == "N/A" || field == "None" || field == "(null)" ? "" : field;
}

class SlurmScheduler : public Scheduler {
 public:
  std::string Submit(const std::string& script, const std::vector<std::string>& options) override {
    std::vector<std::string> argv{"sbatch", "--parsable"};
    argv.insert(argv.end(), options.begin(), options.end());
    argv.push_back(script);
    const SubprocessResult result = Ask(argv, kSubmitSeconds);
    if (result.exit_code != 0) ThrowInput(StrCat("sbatch refused ", script, ": ", Sentence(result)));
    // "12" or "12;cluster".
    const std::string job = Trim(Split(Trim(result.out), ';')[0]);
    long long number = 0;
    if (!ParseInt(job, &number)) ThrowInternal(StrCat("sbatch --parsable printed \"", Trim(result.out), "\""));
    return job;
  }

  std::vector<QueueEntry> Query(const std::string& job) override {
    const SubprocessResult result = Ask({"squeue", "-h", "-j", job, "-o", "%i|%T|%r|%S|%N"});
    if (result.exit_code != 0) {
      if (IsGone(result.err)) return {};
      throw Error(ErrorKind::kUnavailable, StrCat("squeue: ", Sentence(result)));
    }
    std::vector<QueueEntry> entries;
    for (const std::string& line : Split(result.out, '\n')) {
      const std::vector<std::string> fields = Split(line, '|');
      if (fields.size() < 5) continue;
      entries.push_back({Trim(fields[0]), fields[1], Known(fields[2]), Known(fields[3]), Known(Trim(fields[4]))});
    }
    return entries;
  }

  void Signal(const std::string& job, const std::string& signal) override {
    Scancel({"scancel", "--signal=" + signal, job});
  }

  void Cancel(const std::string& job) override { Scancel({"scancel", job}); }

 private:
  static void Scancel(const std::vector<std::string>& argv) {
    const SubprocessResult result = Ask(argv);
    if (result.exit_code != 0 && !IsGone(result.err)) {
      throw Error(ErrorKind::kUnavailable, StrCat("scancel: ", Sentence(result)));
    }
  }
};

/// "12_[3-5,9%2]" holds "12_4".
bool RangeHolds(const std::string& range, const std::string& job) {
  const std::size_t open = range.find("_[");
  const std::size_t mark = job.find('_');
  if (open == std::string::npos || mark == std::string::npos || range.substr(0, open) != job.substr(0, mark)) {
    return false;
  }
  long long task = 0;
  if (!ParseInt(job.substr(mark + 1), &task)) return false;
  std::string inner = range.substr(open + 2);
  inner = inner.substr(0, inner.find_first_of("]%"));
  for (const std::string& part : Split(inner, ',')) {
    if (part == "...") return true;  // squeue cuts long lists
    const std::vector<std::string> ends = Split(part, '-');
    long long low = 0;
    long long high = 0;
    if (!ParseInt(ends[0], &low)) continue;
    if (ends.size() < 2 || !ParseInt(ends[1], &high)) high = low;
    if (low <= task && task <= high) return true;
  }
  return false;
}

}  // namespace

std::unique_ptr<Scheduler> MakeSlurmScheduler() { return std::make_unique<SlurmScheduler>(); }

const QueueEntry* FindEntry(const std::vector<QueueEntry>& entries, const std::string& job) {
  for (const QueueEntry& entry : entries) {
    if (entry.job == job) return &entry;
  }
  for (const QueueEntry& entry : entries) {
    if (RangeHolds(entry.job, job)) return &entry;
  }
  return nullptr;
}

std::string ScriptOfJob(const std::string& job) {
  if (FindProgram("scontrol").empty()) return "";
  const SubprocessResult result = Ask({"scontrol", "show", "job", job});
  if (result.exit_code != 0) return "";
  for (const std::string& line : Split(result.out, '\n')) {
    const std::string text = Trim(line);
    if (StartsWith(text, "Command=")) return text.substr(8);
  }
  return "";
}

std::string SlurmVersion() {
  if (FindProgram("sbatch").empty()) return "";
  const SubprocessResult result = Ask({"sbatch", "--version"});
  return result.exit_code == 0 ? Trim(result.out) : "";
}

int MaxArraySize() {
  constexpr int kSlurmDefault = 1001;
  if (FindProgram("scontrol").empty()) return kSlurmDefault;
  const SubprocessResult result = Ask({"scontrol", "show", "config"});
  for (const std::string& line : Split(result.out, '\n')) {
    const std::vector<std::string> parts = Split(line, '=');
    long long size = 0;
    if (parts.size() == 2 && Trim(parts[0]) == "MaxArraySize" && ParseInt(Trim(parts[1]), &size) && size > 1) {
      return static_cast<int>(size);
    }
  }
  return kSlurmDefault;
}

}  // namespace nas
