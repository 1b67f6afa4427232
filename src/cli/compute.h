// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace nas {
struct SearchOptions;
struct SupernetEvalOptions;
struct TrainOptions;
struct EvalOptions;
struct ProfileOptions;
struct BenchOptions;
struct ExportOptions;
struct VerifyOptions;
}  // namespace nas

namespace nas::cli {

struct Session;

/// The verbs that need LibTorch. `nas-torch` links compute_torch.cpp, which runs them; `nas` links compute_exec.cpp,
/// where each replaces the process by `libexec/nas-torch` with the same arguments: flags are read and refused in
/// milliseconds either way.
namespace compute {
int Search(const SearchOptions& options, const Session& session);
int Train(const TrainOptions& options, const Session& session);
int Eval(const EvalOptions& options, const Session& session);
int EvalSupernet(const SupernetEvalOptions& options, const Session& session);
int Profile(const ProfileOptions& options, const Session& session);
int Bench(const BenchOptions& options, const Session& session);
int Export(const ExportOptions& options, const Session& session);
int Verify(const VerifyOptions& options, const Session& session);
int Doctor(const Session& session);
int Version(const Session& session);
}  // namespace compute

}  // namespace nas::cli
