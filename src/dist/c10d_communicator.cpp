// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <future>
#include <mutex>
#include <optional>
#include <thread>

#include <ATen/ATen.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "gloo_backend.h"
#include "nas/core/clock.h"
#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/dist/communicator.h"
#include "own_address.h"
#include "store_mark.h"

namespace nas {
namespace {

using Store = c10::intrusive_ptr<c10d::Store>;

constexpr double kFarewell = 3;  ///< seconds that rank 0 keeps the store open for the others

std::chrono::milliseconds Millis(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1e3));
}

/// The first line of what the library says: the rest is a backtrace.
std::string FirstLine(const std::exception& error) {
  const std::string text = error.what();
  return text.substr(0, text.find('\n'));
}

/// The kind whose exit code it is.
ErrorKind KindOf(int exit) {
  for (int kind = 0; kind <= static_cast<int>(ErrorKind::kInterrupted); ++kind) {
    if (ExitCode(static_cast<ErrorKind>(kind)) == exit) return static_cast<ErrorKind>(kind);
  }
  return ErrorKind::kCheckpointed;
}

/// c10d's store as the watch sees it. A client of its own: a call that blocks must not hold up the groups.
class C10dKeyStore : public KeyStore {
 public:
  explicit C10dKeyStore(Store store) : store_(std::move(store)) {}
  void Set(const std::string& key, const std::string& value) override {
    const std::lock_guard lock(mutex_);
    store_->set(key, std::vector<std::uint8_t>(value.begin(), value.end()));
  }
  std::optional<std::string> Get(const std::string& key) override {
    const std::lock_guard lock(mutex_);
    if (!store_->check({key})) return std::nullopt;
    const std::vector<std::uint8_t> value = store_->get(key);
    return std::string(value.begin(), value.end());
  }
  std::int64_t Add(const std::string& key, std::int64_t amount) override {
    const std::lock_guard lock(mutex_);
    return store_->add(key, amount);
  }

 private:
  std::mutex mutex_;
  Store store_;
};

/// What the ranks of a group leave each other, and the watch over them: why a collective has failed.
class Notes {
 public:
  Notes(std::shared_ptr<KeyStore> store, const GlooOptions& options) : store_(std::move(store)), options_(options) {
    if (options.watch) {
      LivenessOptions liveness = options.liveness;
      liveness.rank = options.rank;
      liveness.size = options.size;
      liveness.parent_tells = options.parent_tells;
      live_ = std::make_unique<Liveness>(liveness, store_);
    }
  }
  KeyStore& store() { return *store_; }
  Liveness* live() { return live_.get(); }
  std::optional<AbortRecord> aborted() const { return live_ ? live_->aborted() : std::nullopt; }

  [[noreturn]] void ThrowAborted(const AbortRecord& record) const {
    throw RankLost(KindOf(record.exit), record.text, record.told || (options_.rank != 0 && record.rank != 0));
  }

  /// A rank that ends with an error of its own says so before its connections close.
  [[noreturn]] void Lost(const std::string& what, const std::exception& error) {
    for (int look = 0; look < 20; ++look) {
      if (const auto record = aborted()) ThrowAborted(*record);
      try {
        if (const auto record = store_->Get("abort")) ThrowAborted(AbortRecord::FromText(*record));
      } catch (const Error&) {
        throw;
      } catch (const std::exception&) {
        break;  // the store is gone, too
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(25));
    }
    throw RankLost(ErrorKind::kCheckpointed, StrCat("a rank was lost during ", what, " (", FirstLine(error), ")"),
                   options_.parent_tells);
  }

  /// Waits in slices, so that the watch is heard.
  void Wait(c10d::Work& work, const std::string& what) {
    const Stopwatch watch;
    while (true) {
      try {
        work.wait(std::chrono::milliseconds(500));
        return;
      } catch (const std::exception& error) {
        if (work.isCompleted()) {
          if (work.isSuccess()) return;
          Lost(what, error);
        }
        if (const auto record = aborted()) ThrowAborted(*record);
        if (watch.Seconds() > options_.collective_s) Lost(what, error);
      }
    }
  }

 private:
  std::shared_ptr<KeyStore> store_;
  GlooOptions options_;
  std::unique_ptr<Liveness> live_;
};

Store ConnectStore(const GlooOptions& options) {
  c10d::TCPStoreOptions tcp;
  tcp.port = static_cast<std::uint16_t>(options.master_port);
  tcp.isServer = options.rank == 0 && options.host_store;
  tcp.numWorkers = static_cast<std::size_t>(options.size);
  tcp.waitWorkers = false;  // the first barrier does that, under a deadline of its own
  tcp.timeout = Millis(options.rendezvous_s);
  if (tcp.isServer && options.listen_fd >= 0) tcp.masterListenFd = options.listen_fd;
  return c10::make_intrusive<c10d::TCPStore>(options.master_addr, tcp);
}

[[noreturn]] void NobodyThere(const GlooOptions& options, const std::string& why) {
  throw Error(ErrorKind::kUnavailable,
              StrCat("rank ", options.rank, " of ", options.size, " did not meet the others at ", options.master_addr,
                     ":", options.master_port, " within ", options.rendezvous_s, " s (", why,
                     "); is rank 0 running, the port free and open?"));
}

/// Runs `meet` in a thread of its own: a client of a foreign, silent service blocks past its own timeout, and nothing
/// but leaving it behind ends that.
template <typename Meet>
auto UnderDeadline(const GlooOptions& options, Meet meet) -> decltype(meet()) {
  std::packaged_task<decltype(meet())()> task(std::move(meet));
  auto result = task.get_future();
  std::thread thread(std::move(task));
  constexpr double kGrace = 2;  // its own timeout has the better message
  if (result.wait_for(Millis(options.rendezvous_s + kGrace)) != std::future_status::ready) {
    thread.detach();
    NobodyThere(options, "no answer");
  }
  thread.join();
  try {
    return result.get();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    const std::string reason = FirstLine(error);
    if (options.rank == 0 && options.host_store && reason.find("EADDRINUSE") != std::string::npos) {
      throw Error(ErrorKind::kUnavailable, StrCat("port ", options.master_port, " of ", options.master_addr,
                                                  " is taken; give another MASTER_PORT, or, under srun, --out"));
    }
    NobodyThere(options, reason);
  }
}

class C10dPending : public Pending {
 public:
  C10dPending(c10::intrusive_ptr<c10d::Work> work, Notes& notes, double* seconds)
      : work_(std::move(work)), notes_(notes), seconds_(seconds) {}
  void Wait() override {
    const Stopwatch watch;
    notes_.Wait(*work_, "the sum of gradients");
    *seconds_ += watch.Seconds();
  }

 private:
  c10::intrusive_ptr<c10d::Work> work_;
  Notes& notes_;
  double* seconds_;
};

class C10dCommunicator : public Communicator {
 public:
  C10dCommunicator(const GlooOptions& options, Store store, std::shared_ptr<KeyStore> notes,
                   c10::intrusive_ptr<c10d::Backend> data, c10::intrusive_ptr<c10d::Backend> control)
      : options_(options),
        store_(std::move(store)),
        notes_(std::move(notes), options),
        data_(std::move(data)),
        control_(std::move(control)) {}

  int Rank() const override { return options_.rank; }
  int Size() const override { return options_.size; }
  int LocalRank() const override { return options_.local_rank; }
  CommStats Stats() const override { return stats_; }

  std::unique_ptr<Pending> AllReduceSum(at::Tensor& flat) override {
    if (!flat.is_contiguous()) ThrowInternal("AllReduceSum: the tensor is not contiguous");
    Count(flat.nbytes());
    std::vector<at::Tensor> tensors{flat};
    try {
      return std::make_unique<C10dPending>(data_->allreduce(tensors), notes_, &stats_.seconds);
    } catch (const std::exception& error) {
      notes_.Lost("the sum of gradients", error);
    }
  }

  void AllReduceSum(std::span<double> host) override {
    std::vector<at::Tensor> tensors{at::from_blob(host.data(), {static_cast<std::int64_t>(host.size())}, at::kDouble)};
    Run("a sum", host.size_bytes(), [&] { return control_->allreduce(tensors); });
  }

  void Broadcast(std::span<std::byte> bytes, int root) override {
    std::vector<at::Tensor> tensors{at::from_blob(bytes.data(), {static_cast<std::int64_t>(bytes.size())}, at::kByte)};
    BroadcastAll(tensors, bytes.size(), root);
  }

  void Broadcast(at::Tensor& tensor, int root) override {
    if (!tensor.is_contiguous()) ThrowInternal("Broadcast: the tensor is not contiguous");
    std::vector<at::Tensor> tensors{tensor};
    BroadcastAll(tensors, tensor.nbytes(), root);
  }

  std::vector<std::string> AllGather(std::string_view mine) override {
    const at::Tensor length = at::tensor(static_cast<std::int64_t>(mine.size()), at::kLong).reshape({1});
    at::Tensor lengths = at::zeros({Size(), 1}, at::kLong);
    AllGather(length, lengths);
    const std::int64_t longest = lengths.max().item<std::int64_t>();
    at::Tensor padded = at::zeros({std::max<std::int64_t>(1, longest)}, at::kByte);
    std::copy(mine.begin(), mine.end(), padded.data_ptr<std::uint8_t>());
    at::Tensor all = at::zeros({Size(), padded.size(0)}, at::kByte);
    AllGather(padded, all);
    std::vector<std::string> texts;
    for (int rank = 0; rank < Size(); ++rank) {
      const auto* begin = all[rank].data_ptr<std::uint8_t>();
      texts.emplace_back(begin, begin + lengths[rank][0].item<std::int64_t>());
    }
    return texts;
  }

  void AllGather(const at::Tensor& mine, at::Tensor& all) override {
    if (all.dim() != mine.dim() + 1 || all.size(0) != Size()) ThrowInternal("AllGather: the result needs [R, …]");
    std::vector<at::Tensor> inputs{mine.contiguous()};
    std::vector<std::vector<at::Tensor>> outputs(1);
    for (int rank = 0; rank < Size(); ++rank) outputs[0].push_back(at::empty_like(inputs[0]));
    Run("a gathering", mine.nbytes(), [&] { return control_->allgather(outputs, inputs); });
    for (int rank = 0; rank < Size(); ++rank) all[rank].copy_(outputs[0][static_cast<std::size_t>(rank)]);
  }

  void Barrier(std::string_view name) override {
    Run(StrCat("the meeting \"", name, "\""), 0, [&] { return control_->barrier(); });
  }

  void Publish(const std::string& key, const std::string& text) override {
    try {
      notes_.store().Set(key, text);
    } catch (const std::exception& error) {
      notes_.Lost("the note " + key, error);
    }
  }

  std::string Await(const std::string& key) override {
    while (true) {
      try {
        if (const auto text = notes_.store().Get(key)) return *text;
      } catch (const std::exception& error) {
        notes_.Lost("the note " + key, error);
      }
      if (const auto record = notes_.aborted()) notes_.ThrowAborted(*record);
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }

  void Progress(std::int64_t step, std::string_view phase) override {
    if (notes_.live() != nullptr) notes_.live()->Progress(step, phase);
  }

  bool Abort(const AbortRecord& record) override {
    try {
      return WriteAbort(notes_.store(), record);
    } catch (const std::exception&) {
      return true;  // nobody is left to hear it
    }
  }

  void Leave(int exit) override {
    try {
      if (Rank() != 0) {
        notes_.store().Add("gone", 1);
        return;
      }
      notes_.store().Set("done", std::to_string(exit));
      const Stopwatch watch;
      while (watch.Seconds() < kFarewell && notes_.store().Add("gone", 0) < Size() - 1) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
    } catch (const std::exception&) {
      // The store is gone: so are those who would read it.
    }
  }

  int Follow() override {
    long long exit = 0;
    ParseInt(Await("done"), &exit);
    Leave(static_cast<int>(exit));
    return static_cast<int>(exit);
  }

 private:
  void Count(std::size_t bytes) {
    ++stats_.calls;
    stats_.bytes += static_cast<std::int64_t>(bytes);
  }

  void BroadcastAll(std::vector<at::Tensor>& tensors, std::size_t bytes, int root) {
    c10d::BroadcastOptions broadcast;
    broadcast.rootRank = root;
    Run("a broadcast", bytes, [&] { return control_->broadcast(tensors, broadcast); });
  }

  template <typename Start>
  void Run(const std::string& what, std::size_t bytes, const Start& start) {
    Count(bytes);
    const Stopwatch watch;
    c10::intrusive_ptr<c10d::Work> work;
    try {
      work = start();
    } catch (const std::exception& error) {
      notes_.Lost(what, error);
    }
    notes_.Wait(*work, what);
    stats_.seconds += watch.Seconds();
  }

  GlooOptions options_;
  Store store_;  // has to outlive the groups: they look keys up in it
  Notes notes_;
  c10::intrusive_ptr<c10d::Backend> data_;
  c10::intrusive_ptr<c10d::Backend> control_;
  CommStats stats_;
};

}  // namespace

std::unique_ptr<Communicator> MakeGlooCommunicator(const GlooOptions& options) {
  const std::string address = options.interface_address.empty()
                                  ? detail::OwnAddressTowards(options.master_addr, options.master_port)
                                  : options.interface_address;
  return UnderDeadline(options, [options, address]() -> std::unique_ptr<Communicator> {
    const Store tcp = ConnectStore(options);
    const Store store = c10::make_intrusive<c10d::PrefixStore>(options.prefix, tcp);
    if (options.rank == 0) store->set(detail::kRankZeroHere, std::vector<std::uint8_t>{1});
    const auto group = [&](const char* name) {
      return detail::MakeGlooBackend(c10::make_intrusive<c10d::PrefixStore>(name, store), options.rank, options.size,
                                     address, Millis(options.collective_s));
    };
    GlooOptions as_client = options;
    as_client.host_store = false;
    auto notes = std::make_shared<C10dKeyStore>(
        c10::make_intrusive<c10d::PrefixStore>(options.prefix + "/notes", ConnectStore(as_client)));
    return std::make_unique<C10dCommunicator>(options, store, std::move(notes), group("data"), group("control"));
  });
}

}  // namespace nas
