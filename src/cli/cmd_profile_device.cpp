// SPDX-License-Identifier: Apache-2.0
#include "cmd_profile_device.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "compute.h"
#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/core/units.h"
#include "nas/profile/profile_options.h"
#include "nas/profile/profiler.h"
#include "session.h"

namespace nas::cli {
namespace {

// `--transport ssh:HOST` means ssh://HOST.
std::string FullAddress(const std::string& transport) {
  const bool short_form = StartsWith(transport, "ssh:") && !StartsWith(transport, "ssh://");
  return short_form ? StrCat("ssh://", transport.substr(4)) : transport;
}

// `--device` also takes the way to a far device.
void TakeTransport(ProfileOptions& options) {
  if (options.device == "local" || StartsWith(options.device, "ssh:") || StartsWith(options.device, "adb:")) {
    if (options.transport != "local" && options.transport != options.device) {
      ThrowUsage(StrCat("--device ", options.device, " and --transport ", options.transport, " differ; give one"));
    }
    options.transport = std::exchange(options.device, "cpu");
  }
  options.transport = FullAddress(options.transport);
}

AgentPlaces AgentsOf(const Session& session) {
  const std::filesystem::path prefix = session.bin_dir.parent_path();
  AgentPlaces agent;
  agent.program = (prefix / "bin" / "nas-agent").string();
  agent.bundle_dirs = {(prefix / "share" / "nas" / "agents").string()};
  return agent;
}

int PrintPlan(const ProfilePlan& plan, const Session& session) {
  if (session.json) {
    session.PrintJson({{"schema", "nas.profile-device/1"},
                       {"plan", plan.name},
                       {"blocks", plan.blocks.size()},
                       {"space_keys", plan.space_keys},
                       {"calibration_nets", plan.calibrate.size()},
                       {"held_out_nets", plan.held_out.size()},
                       {"expected_s", plan.expected_seconds()}});
  } else {
    session.Print(StrCat(plan.name, " plan: ", plan.blocks.size(), " of ", plan.space_keys, " blocks, ",
                         plan.calibrate.size(), " + ", plan.held_out.size(), " whole networks, about ",
                         SecondsToString(plan.expected_seconds())));
  }
  return 0;
}

std::string Accuracy(const ProfileResult& result) {
  const SplitReport* report = result.held_out();
  if (result.table.recorded.emulated) return "the device is emulated: its times prove function only";
  if (report == nullptr) return "no network was kept out of the fits: the error is not known";
  return StrCat("on ", report->n, " networks kept out of all fits: mean error ", Fixed(report->mape, 1), " %, ",
                Fixed(100 * report->within_10pct, 0), " % within 10 %",
                report->spearman ? StrCat(", rank correlation ", Fixed(*report->spearman, 3)) : "", "; noise floor ",
                Fixed(100 * result.table.certificate->within_run.value_or(0), 1), " %");
}

}  // namespace

Run ConfigureProfileDevice(FlagSet& flags) {
  struct ProfileFlags {
    ProfileOptions options;
    std::string engine;
    bool quick = false;
    bool full = false;
  };
  auto f = std::make_shared<ProfileFlags>();
  ProfileOptions& o = f->options;
  flags.Group("What to measure");
  flags.Add("--space", &o.space, "whose blocks and networks are measured: shipped name or file");
  flags.AddSwitch("--quick", &f->quick, "48 blocks, 10 + 5 networks, about a minute and a half [default]");
  flags.AddSwitch("--full", &f->full, "up to 120 blocks, 25 + 30 networks, at most 10 minutes");
  flags.Add("--held-out", &o.held_out, "networks kept out of all fits, for the certificate; 0: the plan's number");
  flags.Add("--batch", &o.batch, "images per forward call");
  flags.AddSwitch("--again", &o.again, "a second run into the table at --out: gives the noise between runs");
  flags.Group("On what");
  flags.Add("--engine", &f->engine,
            "what runs the networks: libtorch, xnnpack, plain, command; by default libtorch here, "
            "xnnpack on a far device");
  flags.Add("--command", &o.command,
            "runtime of your own: a program that times an ONNX file, as "
            "scripts/engines/onnxruntime_engine.py does");
  flags.Add("--device", &o.device, "cpu, cuda or cuda:i of this machine; ssh://[user@]host[:port]; adb:SERIAL");
  flags.Add("--transport", &o.transport, "the same for far devices: local, ssh:HOST, adb:SERIAL");
  flags.Add("--ssh-config", &o.ssh_config, "file for ssh -F");
  flags.AddParsed(
      "--device-timeout", "TIME", [&o](const std::string& text) { o.silence_seconds = ParseSeconds(text); },
      [&o] { return StrCat(o.silence_seconds, "s"); }, "a far device that says nothing for so long has hung");
  flags.Add("--cores", &o.cores, "hexadecimal core mask; by default the fastest cores");
  flags.Group("The table");
  flags.Add("--out", &o.out, "table file to write");
  flags.Add("--name", &o.name, "name of the table; by default the stem of --out");
  flags.AddSwitch("--resume", &o.resume, "go on with an interrupted profile");
  flags.AddSwitch("--force", &o.force, "replace the table at --out");
  flags.AddSwitch("--allow-noisy", &o.allow_noisy, "give a table even from a machine too noisy for figures");
  flags.AddSwitch("--dry-run", &o.dry_run, "say what would be measured and how long it takes");
  SetExamples(flags,
              "  nas profile-device --full --out this-machine.json\n  nas profile-device --device adb:R58M12ABCDE "
              "--space proxyless-mobile --out phone.json");
  return [f](const Session& session) {
    if (f->quick && f->full) ThrowUsage("--quick and --full exclude each other; give one");
    ProfileOptions options = f->options;
    options.plan = f->full ? "full" : "quick";
    // --threads of this verb is the device's: one unless asked for.
    options.threads = session.threads_given ? session.threads : 1;
    options.seed = session.seed;
    TakeTransport(options);
    options.engine = f->engine;
    if (options.engine.empty() && !options.command.empty()) options.engine = "command";
    if (options.engine.empty()) options.engine = options.transport == "local" ? "libtorch" : "xnnpack";
    options.Validate();
    if (options.engine == "libtorch") return compute::Profile(options, session);
    return RunProfileDevice(options, session, BuiltinEngines());
  };
}

int RunProfileDevice(const ProfileOptions& options, const Session& session, std::vector<EngineEntry> engines) {
  const auto progress = session.MakeProgressSink();
  const ProfileHooks hooks{std::move(engines),
                           session.space_dirs,
                           progress.get(),
                           session.stop,
                           (session.bin_dir.parent_path() / "bin" / "nas").string(),
                           AgentsOf(session)};
  if (options.dry_run) return PrintPlan(PlanProfile(options, hooks), session);
  const ProfileResult result = RunProfile(options, hooks);
  progress->Finish();
  if (session.json) {
    session.PrintJson(ToJson(result));
    return 0;
  }
  session.Print(StrCat(result.path, ": ", result.items, " items (", result.whole_nets, " whole networks) in ",
                       SecondsToString(result.seconds)));
  session.Print(Accuracy(result));
  return 0;
}

}  // namespace nas::cli
