// SPDX-License-Identifier: Apache-2.0
// The entry of both programs: `nas` (no LibTorch; starts in milliseconds) and `libexec/nas-torch` (the verbs that
// compute).
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <thread>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cmd_arch.h"
#include "cmd_bench.h"
#include "cmd_cancel.h"
#include "cmd_completion.h"
#include "cmd_data.h"
#include "cmd_doctor.h"
#include "cmd_eval.h"
#include "cmd_explain.h"
#include "cmd_export.h"
#include "cmd_predict.h"
#include "cmd_predictor.h"
#include "cmd_profile_device.h"
#include "cmd_report.h"
#include "cmd_search.h"
#include "cmd_space.h"
#include "cmd_status.h"
#include "cmd_submit.h"
#include "cmd_train.h"
#include "cmd_verify.h"
#include "cmd_version.h"
#include "error_report.h"
#include "nas/core/error.h"
#include "nas/core/log.h"
#include "nas/core/machine.h"
#include "nas/core/stop_flag.h"
#include "nas/core/text.h"
#include "session_flags.h"
#include "verb.h"

namespace nas::cli {
namespace {

/// The one list of verbs, in the order of the overview.
const Verb kVerbs[] = {
    {"search", "find a network for your data under a latency, MACs or params budget", ConfigureSearch},
    {"train", "train an architecture from scratch or from supernet weights", ConfigureTrain},
    {"eval", "accuracy of weights, or of many architectures with inherited weights", ConfigureEval},
    {"explain", "why a search chose what it chose, edge by edge", ConfigureExplain},
    {"report", "one HTML page, CSV and SVG from one or several runs", ConfigureReport},
    {"predict", "latency, MACs and params of architectures on any target", ConfigurePredict},
    {"profile-device", "measure this machine and write a latency table with its own error", ConfigureProfileDevice},
    {"predictor", "import, fit, evaluate, transfer, list and show latency tables", ConfigurePredictor},
    {"space", "list, show, count, sample, check search spaces", ConfigureSpace},
    {"arch", "show, convert, diff architectures", ConfigureArch},
    {"export", "write a network as ONNX, TorchScript, safetensors, net.config or timm string", ConfigureExport},
    {"verify", "check a passport again: files, params, MACs, accuracy, latency", ConfigureVerify},
    {"data", "check what the loader would make of a folder", ConfigureData},
    {"bench", "speed and memory of the supernet step, loader and predictor here", ConfigureBench},
    {"doctor", "what this machine offers, what is missing and how to get it", ConfigureDoctor},
    {"submit", "batch jobs and sweeps, on Slurm or here", ConfigureSubmit},
    {"status", "how runs, sweeps and batch jobs stand", ConfigureStatus},
    {"cancel", "stop runs for good, after a checkpoint", ConfigureCancel},
    {"completion", "shell completion for bash, zsh, fish, and the manual page", ConfigureCompletion},
    {"version", "versions of everything linked", ConfigureVersion},
};

int RunMain(int argc, char** argv, bool* debug) {
  Session session;
  session.argv.assign(argv, argv + argc);
  LocatePlaces(&session);

  CLI::App app{
      "nas designs a neural network for the hardware it will run on: it trains a supernet one path at a time,\n"
      "weighs accuracy against the latency measured on your device, and writes out the network that meets it."};
  app.name("nas");
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);

  SessionFlags common;
  std::vector<std::pair<std::unique_ptr<FlagSet>, Run>> configured;
  for (const Verb& verb : kVerbs) {
    CLI::App* sub = app.add_subcommand(verb.name, verb.summary);
    configured.emplace_back(std::make_unique<FlagSet>(sub), nullptr);
    configured.back().second = verb.configure(*configured.back().first);
    common.AddTo(sub);
  }
  *debug = false;
  for (int i = 1; i < argc; ++i) *debug = *debug || std::string(argv[i]) == "--debug";
  try {
    app.parse(WordsToParse(session.argv));
  } catch (const CLI::ParseError& error) {
    return ReportParseError(app, error);
  }

  for (auto& [flags, run] : configured) {
    if (!flags->app()->parsed()) continue;
    flags->Resolve(common.config, common.set);
    if (common.print_config) {
      session.Print(flags->PrintConfig());
      return 0;
    }
    common.Apply(&session);
    StopFlag stop;
    session.stop = &stop;
    InstallStopSignals(&stop);
    return run(session);
  }
  return ExitCode(ErrorKind::kInternal);
}

}  // namespace
}  // namespace nas::cli

int main(int argc, char** argv) {
  // Undone by NAS_MALLOC=default, for machines where resident memory matters more than speed.
  const char* malloc_choice = std::getenv("NAS_MALLOC");
  if (malloc_choice == nullptr || std::string(malloc_choice) != "default") nas::KeepLargeBuffers();
  bool debug = false;
  try {
    return nas::cli::RunMain(argc, argv, &debug);
  } catch (const std::exception& error) {
    return nas::cli::ReportException(error, debug);
  }
}
