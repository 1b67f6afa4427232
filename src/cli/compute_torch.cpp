// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include <torch/torch.h>

#include <nlohmann/json.hpp>

#include "cluster_env.h"
#include "cmd_profile_device.h"
#include "compute.h"
#include "doctor_report.h"
#include "nas/core/error.h"
#include "nas/core/log.h"
#include "nas/core/table_printer.h"
#include "nas/core/text.h"
#include "nas/core/units.h"
#include "nas/dist/backends.h"
#include "nas/profile/local_engines.h"
#include "nas/report/event_log.h"
#include "nas/report/report.h"
#include "nas/search/search_driver.h"
#include "nas/search/supernet_eval.h"
#include "nas/train/evaluator.h"
#include "nas/train/trainer.h"
#include "rank_session.h"
#include "run_bench.h"
#include "run_export.h"
#include "run_verify.h"
#include "session.h"
#include "space_flags.h"
#include "version_report.h"

namespace nas::cli::compute {
namespace {

SearchPlaces PlacesOf(const Session& session) { return {session.space_dirs, session.table_dirs, session.cache_dir}; }

/// The run folder's report.html. What people look at must not cost them the run.
void ReportRun(const std::filesystem::path& run, const Session& session) {
  try {
    WriteReport({run}, session.space_dirs, run / "report.html", /*data_dir=*/"");
  } catch (const std::exception& error) {
    LogWarning(StrCat("no report.html: ", error.what(), "; make it with: nas report ", run.string()));
  }
}

int MetOrMissed(bool met) { return met ? 0 : ExitCode(ErrorKind::kInfeasible); }

std::string Percent(double share) { return Fixed(100 * share, 2) + " %"; }

/// Rank 0, or a process that is alone, does the run with its journal; the other ranks follow it to its end.
template <typename Options, typename Hooks>
int InSeats(const Session& session, const Options& options, Progress* progress, Hooks* hooks,
            const std::function<int(Progress*, const std::function<void()>&)>& lead,
            const std::function<void()>& follow) {
  return WithRanks(session, options.ranks, options.out, [&](const RankSeat& seat) {
    hooks->ranks = seat.ranks;
    hooks->host = seat.host;
    hooks->hello = seat.hello;
    if (!seat.root()) {
      hooks->progress = nullptr;
      follow();
      throw FollowRankZero();
    }
    return WithJournal(session, options.out, !options.resume.empty(), progress, lead,
                       seat.ranks == nullptr ? 1 : seat.ranks->Size());
  });
}

}  // namespace

int Search(const SearchOptions& options, const Session& session) {
  const auto progress = session.MakeProgressSink();
  SearchHooks hooks;
  hooks.progress = progress.get();
  hooks.stop = session.stop;
  if (options.dry_run) {
    const SearchForecast forecast = ForecastSearch(options, PlacesOf(session), hooks);
    progress->Finish();
    if (session.json) {
      session.PrintJson(forecast.json);
    } else {
      session.Print(forecast.table);
    }
    return MetOrMissed(forecast.reachable);
  }
  const auto search = [&](Progress* journal, const std::function<void()>& fence) {
    hooks.progress = journal;
    hooks.metrics = MakeEventLog();
    hooks.fence = fence;
    const SearchResult result = RunSearch(options, PlacesOf(session), hooks);
    progress->Finish();
    ReportRun(result.run, session);
    if (session.json) {
      session.PrintJson(ToJson(result));
    } else {
      session.Print(ToTable(result, session.color));
    }
    return MetOrMissed(result.met());
  };
  return InSeats(session, options, progress.get(), &hooks, search,
                 [&] { RunSearch(options, PlacesOf(session), hooks); });
}

int Train(const TrainOptions& options, const Session& session) {
  if (options.dry_run) {
    const TrainPlan plan = PlanTrain(options);
    if (session.json) {
      session.PrintJson(ToJson(plan));
    } else {
      session.Print(StrCat(plan.name, ": ", CountToString(plan.params), " params, ", CountToString(plan.macs),
                           " MACs at ", plan.resolution, " px; ", plan.train_images, " images, ", plan.epochs,
                           " epochs of ", plan.steps_per_epoch, " steps, batch ", plan.batch, ", lr ", plan.lr, ", ",
                           plan.device, " ", plan.precision));
    }
    return 0;
  }
  const auto progress = session.MakeProgressSink();
  TrainHooks hooks;
  hooks.stop = session.stop;
  const auto train = [&](Progress* journal, const std::function<void()>& fence) {
    hooks.progress = journal;
    hooks.metrics = MakeEventLog();
    hooks.fence = fence;
    const TrainResult result = RunTrain(options, hooks);
    progress->Finish();
    ReportRun(result.run, session);
    if (session.json) {
      session.PrintJson(ToJson(result));
      return 0;
    }
    TablePrinter table({"network", "top-1", "top-5", "loss", "MACs", "params", "epochs", "time", "run"});
    table.AddRow({result.name, Percent(result.test.top1), Percent(result.test.top5), Fixed(result.test.loss, 3),
                  CountToString(result.macs), CountToString(result.params), StrCat(result.epochs),
                  SecondsToString(result.wall_s), result.run});
    session.Print(table.ToString(session.color));
    return 0;
  };
  return InSeats(session, options, progress.get(), &hooks, train, [&] { RunTrain(options, hooks); });
}

int Eval(const EvalOptions& options, const Session& session) {
  const auto progress = session.MakeProgressSink();
  const Accuracy accuracy = RunEval(options, progress.get(), session.stop);
  progress->Finish();
  if (session.json) {
    Json json{{"schema", "nas.eval/1"}};
    json.update(ToJson(accuracy));
    session.PrintJson(json);
  } else {
    session.Print(StrCat("top-1 ", Percent(accuracy.top1), "  top-5 ", Percent(accuracy.top5), "  loss ",
                         Fixed(accuracy.loss, 4), "  on ", accuracy.images, " images"));
  }
  return 0;
}

int EvalSupernet(const SupernetEvalOptions& asked, const Session& session) {
  SupernetEvalOptions options = asked;
  const SearchPlaces places = PlacesOf(session);
  const SearchSpace space = SpaceOfRun(options.supernet, places);
  options.archs = ReadArchitectures({options.archs_source}, &space);
  const auto progress = session.MakeProgressSink();
  // JSON Lines with and without --json: many networks are for programs.
  EvaluateInherited(options, places, {progress.get(), session.stop},
                    [&](const Json& line) { session.PrintJson(line); });
  progress->Finish();
  return 0;
}

int Profile(const ProfileOptions& options, const Session& session) {
  return RunProfileDevice(options, session, LocalEngines());
}

int Bench(const BenchOptions& options, const Session& session) {
  if (options.ranks.ranks < 2) return RunBench(options, session);
  return WithRanks(session, options.ranks, /*out=*/"", [&](const RankSeat& seat) {
    const std::vector<RankFigure> figures = MeasureRanks(options, session, *seat.ranks);
    if (!seat.root()) throw FollowRankZero();
    return RunBench(options, session, figures);
  });
}

int Export(const ExportOptions& options, const Session& session) { return RunExport(options, session); }

int Verify(const VerifyOptions& options, const Session& session) { return RunVerify(options, session); }

int Doctor(const Session& session) {
  auto checks = CheckMachine(session);
  checks.push_back({"LibTorch", "ok", StrCat(TORCH_VERSION, ", ", at::get_num_threads(), " threads"), ""});
  const bool cuda = torch::cuda::is_available();
  checks.push_back(
      {"GPU", cuda ? "ok" : "missing",
       cuda ? StrCat(torch::cuda::device_count(), " CUDA devices") : "no CUDA device, or a CPU build of LibTorch",
       cuda ? "" : "for CUDA: scripts/setup --torch-dir DIR"});
  for (const BackendState& backend : FindBackends())
    checks.push_back({backend.name, backend.there ? "ok" : "missing", backend.detail, backend.remedy});
  return PrintDoctor(checks, session);
}

int Version(const Session& session) { return PrintVersion({{"LibTorch", TORCH_VERSION}}, session); }

}  // namespace nas::cli::compute
