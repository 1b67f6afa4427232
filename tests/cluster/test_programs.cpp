// SPDX-License-Identifier: Apache-2.0
#include "cluster/test_programs.h"

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "nas/core/text.h"

namespace nas::test {
namespace fs = std::filesystem;
namespace {

constexpr const char* kFakeTorch = R"sh(#!/bin/bash
set -u
out= dry=0 seed=0 target=macs
args=("$@")
for ((i = 0; i < $#; i++)); do
  case ${args[i]} in
    --out) out=${args[i + 1]} ;;
    --dry-run) dry=1 ;;
    --seed=*) seed=${args[i]#*=} ;;
    --target) target=${args[i + 1]} ;;
  esac
done
if [ $dry = 1 ]; then
  case $target in *=1us) echo "error: $target cannot be met: the space reaches 123 us to 321 us" >&2; exit 4 ;; esac
  table=null; folder=${target//[^A-Za-z0-9.-]/_}
  case $target in *.json=*) table="\"${target%%=*}\""; folder=${target%%.json=*}-${target##*=} ;; esac
  printf '{"schema":"nas.search.dry-run/1","step_s":%s,"parameters":1000,"targets":[{"target":"%s","folder":"%s","table":%s}]}\n' \
    "${FAKE_TRIAL_STEP_S:-0.1}" "$target" "$folder" "$table"; exit 0
fi
mkdir -p "$out/checkpoints" "$out/targets"
[ -e "$out/result.json" ] && exit 0
echo '{"schema":"nas.env/1"}' >"$out/env.json"
job=${SLURM_JOB_ID:-}; [ -n "${SLURM_ARRAY_JOB_ID:-}" ] && job=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
say() {
  printf '{"schema":"nas.status/1","state":"%s","job":"%s","exit":%s,"step":%d,"time":%s,"sentence":"%s"}\n' \
    "$1" "$job" "$2" "$step" "$(date +%s.%N)" "${3:-}" >"$out/status.json.new"
  mv "$out/status.json.new" "$out/status.json"
}
step=0
for c in "$out"/checkpoints/step-*.safetensors; do
  [ -e "$c" ] && { c=${c##*/step-}; c=${c%.safetensors}; [ "$c" -gt $step ] && step=$c; }
done
echo $$ >"$out/pid"; echo "start $step" >>"$out/starts"
stop=0; trap 'stop=1' USR1 USR2 TERM
say running null
while [ $step -lt 20 ]; do
  sleep "${FAKE_STEP_S:-0.02}" & wait $!
  step=$((step + 1))
  [ $((step % 5)) = 0 ] && : >"$out/checkpoints/step-$step.safetensors"
  [ -n "${FAKE_FAIL_AT:-}" ] && [ $step = "$FAKE_FAIL_AT" ] && { say failed 7 "diverged at step $step"; exit 7; }
  [ $stop = 1 ] && { : >"$out/checkpoints/step-$step.safetensors"; say checkpointed 75; exit 75; }
  say running null
done
printf '{"targets":[{"target":"%s","unit":"macs","asked":null,"predicted":%d,"measured":null,"met":true,"macs":5,"params":3,"accuracy":{"top1":0.%d},"selected":{"code":"01%d"}}]}' \
  "$target" $((100 + seed)) $((50 + seed)) $((seed % 2)) >"$out/result.json"
say finished 0
)sh";

constexpr const char* kFakeCommand = R"sh(#!/bin/bash
here=$(dirname "$0"); name=$(basename "$0")
echo "$name $*" >>"$here/calls"
[ -e "$here/$name.err" ] && { cat "$here/$name.err" >&2; exit 1; }
case $name in
  sbatch) [ "$1" = --version ] && { echo "slurm 22.05.8"; exit 0; }
          n=$(cat "$here/next" 2>/dev/null || echo 100); echo $((n + 1)) >"$here/next"; echo "$n" ;;
  squeue) cat "$here/squeue.out" 2>/dev/null ;;
  scontrol) [ "$*" = "show config" ] && echo "MaxArraySize            = ${FAKE_MAX_ARRAY:-1001}" ;;
esac
exit 0
)sh";

std::string PathVariable() {
  const char* path = std::getenv("PATH");
  return path == nullptr ? "/usr/bin:/bin" : path;
}

}  // namespace

void WriteProgram(const fs::path& path, const std::string& text) {
  std::ofstream(path) << text;
  fs::permissions(path, fs::perms::owner_all | fs::perms::group_exec | fs::perms::group_read);
}

FakeInstallation::FakeInstallation() {
  fs::create_directories(path() / "bin");
  fs::create_directories(path() / "libexec");
  fs::copy_file(fs::path(NAS_BINARY_DIR) / "bin" / "nas", path() / "bin" / "nas");
  WriteProgram(path() / "libexec" / "nas-torch", kFakeTorch);
}

SubprocessResult FakeInstallation::Run(const std::vector<std::string>& arguments,
                                       const std::vector<std::string>& environment) const {
  SubprocessOptions options;
  options.argv = {"env",
                  "-C",
                  path().string(),
                  "-u",
                  "SLURM_JOB_ID",
                  "NO_COLOR=1",
                  "XDG_CACHE_HOME=" + (path() / "cache").string()};
  options.argv.insert(options.argv.end(), environment.begin(), environment.end());
  options.argv.push_back(nas());
  options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
  options.deadline_s = 300;
  return RunSubprocess(options);
}

FakeSlurm::FakeSlurm() {
  for (const char* name : {"sbatch", "squeue", "scancel", "scontrol", "sinfo"})
    WriteProgram(path() / name, kFakeCommand);
}

std::string FakeSlurm::environment() const { return StrCat("PATH=", path().string(), ":", PathVariable()); }

std::string FakeSlurm::calls() const {
  return fs::exists(path() / "calls") ? ReadFile(path() / "calls") : std::string();
}

void FakeSlurm::Answer(const std::string& file, const std::string& text) const { WriteFileAtomic(path() / file, text); }

std::string OneNodeSlurm::Missing() {
  if (::geteuid() != 0) return "not root";
  for (const char* program : {"slurmctld", "slurmd", "sbatch", "munged", "setpriv"}) {
    if (FindProgram(program).empty() && FindProgram(StrCat("/usr/sbin/", program)).empty()) {
      return StrCat("no ", program, " (apt-get install slurm-wlm munge)");
    }
  }
  return "";
}

OneNodeSlurm::OneNodeSlurm() {
  SubprocessOptions options;
  options.argv = {"env",   "PATH=/usr/sbin:/sbin:" + PathVariable(),
                  "bash",  StrCat(NAS_SOURCE_DIR, "/tests/cluster/one_node_slurm.sh"),
                  "start", dir_.path().string()};
  options.deadline_s = 60;
  const SubprocessResult result = RunSubprocess(options);
  if (result.exit_code != 0) fault_ = StrCat("exit ", result.exit_code, ": ", result.err);
}

OneNodeSlurm::~OneNodeSlurm() {
  SubprocessOptions options;
  options.argv = {"bash", StrCat(NAS_SOURCE_DIR, "/tests/cluster/one_node_slurm.sh"), "stop", dir_.path().string()};
  options.deadline_s = 60;
  RunSubprocess(options);
}

SubprocessResult OneNodeSlurm::Run(const std::vector<std::string>& argv) const {
  SubprocessOptions options;
  options.argv = {"env", environment()};
  options.argv.insert(options.argv.end(), argv.begin(), argv.end());
  options.deadline_s = 60;
  return RunSubprocess(options);
}

bool Eventually(double seconds, const std::function<bool()>& condition) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (std::chrono::steady_clock::now() < until) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return condition();
}

}  // namespace nas::test
