// SPDX-License-Identifier: Apache-2.0
#include "nas/data/loader.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <numeric>
#include <thread>
#include <utility>
#include <vector>

#include "nas/core/clock.h"
#include "nas/core/error.h"
#include "nas/core/rng.h"
#include "nas/core/text.h"
#include "nas/data/shard.h"
#include "sample_renderer.h"
#include "seed_streams.h"

namespace nas {
namespace {

using Order = std::shared_ptr<const std::vector<std::int64_t>>;

/// Work is handed out in pieces of about this many output values, so that threads share one batch evenly.
constexpr std::int64_t kValuesPerPiece = 400'000;

/// Free again once nobody but the pool refers to the tensor or to a view of it.
bool Unused(const at::Tensor& tensor) { return tensor.use_count() == 1 && tensor.storage().use_count() == 1; }

}  // namespace

/// A window of batches from the caller's position on. Threads take pieces of the batches in the window, first batch
/// first.
class Loader::Impl {
 public:
  Impl(std::shared_ptr<const Dataset> dataset, const LoaderOptions& options)
      : dataset_(std::move(dataset)), options_(options), renderer_(options) {
    options_.Validate();
    if (dataset_->size() == 0) ThrowInput("the data set has no images; check the folder or raise the limit per class");
    const std::int64_t values = std::int64_t{3} * options_.resolution * options_.resolution;
    piece_ = std::clamp<std::int64_t>(kValuesPerPiece / values, 1, options_.batch);
  }

  ~Impl() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    work_ready_.notify_all();
    threads_.clear();
  }

  std::int64_t images_per_epoch() const {
    return options_.drop_last ? dataset_->size() / options_.batch * options_.batch : dataset_->size();
  }
  std::int64_t batches_per_epoch() const { return (images_per_epoch() + options_.batch - 1) / options_.batch; }
  double wait_seconds() const { return wait_seconds_; }

  void Seek(std::int64_t epoch, std::int64_t batch) {
    if (epoch < 0 || batch < 0 || batch > batches_per_epoch()) {
      ThrowInternal(StrCat("seek to epoch ", epoch, ", batch ", batch, " of ", batches_per_epoch()));
    }
    std::unique_lock lock(mutex_);
    epoch_ = epoch;
    batch_ = batch;
    if (!window_.empty() && window_.front()->epoch == epoch && window_.front()->batch == batch) return;
    DropWindow(&lock);
  }

  bool Next(Batch* out) {
    if (batch_ >= batches_per_epoch()) return false;
    const Stopwatch waited;
    std::unique_lock lock(mutex_);
    if (threads_.empty()) StartThreads();
    FillWindow();
    Slot& slot = *window_.front();
    if (options_.threads == 0) {
      RenderInline(&slot);
    } else {
      work_ready_.notify_all();
      batch_ready_.wait(lock, [&] { return slot.done == slot.size; });
    }
    wait_seconds_ += waited.Seconds();
    if (slot.failure) {
      const std::exception_ptr failure = slot.failure;
      DropWindow(&lock);
      std::rethrow_exception(failure);
    }
    *out = {std::move(slot.images), std::move(slot.labels), slot.whole};
    window_.pop_front();
    if (first_open_ > 0) --first_open_;
    batch_ += options_.stride;
    FillWindow();
    lock.unlock();
    work_ready_.notify_all();
    return true;
  }

 private:
  /// One batch on its way.
  struct Slot {
    std::int64_t epoch = 0;
    std::int64_t batch = 0;
    Order order;
    std::int64_t begin = 0;  ///< position in the order
    std::int64_t size = 0;
    std::int64_t whole = 0;  ///< images of all shards
    std::int64_t taken = 0;  ///< images handed to threads
    std::int64_t done = 0;   ///< images finished
    at::Tensor images;
    at::Tensor labels;
    float* pixels = nullptr;
    std::exception_ptr failure;
  };

  Order OrderOf(std::int64_t epoch) {
    if (!options_.shuffle) {
      if (!order_) {
        auto order = std::make_shared<std::vector<std::int64_t>>(dataset_->size());
        std::iota(order->begin(), order->end(), 0);
        order_ = std::move(order);
      }
    } else if (!order_ || order_epoch_ != epoch) {
      CounterRng rng(MixSeed(options_.seed, detail::kOrderSalt), static_cast<std::uint64_t>(epoch));
      order_ = std::make_shared<std::vector<std::int64_t>>(rng.Permutation(dataset_->size()));
      order_epoch_ = epoch;
    }
    return order_;
  }

  /// Makes slots from the caller's position on. Training goes on into the next epoch, so that an epoch's first batch is
  /// ready in time; an evaluation ends with its epoch.
  void FillWindow() {
    const std::size_t ahead = options_.threads == 0 ? 1 : static_cast<std::size_t>(options_.prefetch);
    while (window_.size() < ahead) {
      std::int64_t epoch = window_.empty() ? epoch_ : window_.back()->epoch;
      std::int64_t batch = window_.empty() ? batch_ : window_.back()->batch + options_.stride;
      if (batch >= batches_per_epoch()) {
        if (!options_.shuffle || options_.threads == 0) return;
        ++epoch;
        batch = 0;
      }
      window_.push_back(MakeSlot(epoch, batch));
    }
  }

  std::unique_ptr<Slot> MakeSlot(std::int64_t epoch, std::int64_t batch) {
    auto slot = std::make_unique<Slot>();
    slot->epoch = epoch;
    slot->batch = batch;
    slot->order = OrderOf(epoch);
    slot->begin = batch * options_.batch;
    slot->whole = std::min<std::int64_t>(options_.batch, images_per_epoch() - slot->begin);
    const ShardRange own = ShardsOf(slot->whole, options_.shards, options_.first_shard, options_.last_shard);
    slot->begin += own.begin;
    slot->size = own.size();
    slot->images = TakeImages(slot->size);
    slot->pixels = slot->images.mutable_data_ptr<float>();
    slot->labels = at::empty({slot->size}, at::kLong);
    auto* labels = slot->labels.mutable_data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < slot->size; ++i) labels[i] = dataset_->label((*slot->order)[slot->begin + i]);
    return slot;
  }

  at::Tensor TakeImages(std::int64_t count) {
    for (const at::Tensor& tensor : pool_) {
      if (tensor.size(0) != count || !Unused(tensor)) continue;
      std::atomic_thread_fence(std::memory_order_acquire);
      return tensor;
    }
    const std::int64_t side = options_.resolution;
    at::Tensor tensor =
        at::empty({count, 3, side, side}, at::TensorOptions(at::kFloat), at::MemoryFormat::ChannelsLast);
    // Callers that keep their batches must not make the pool grow without end.
    const std::size_t most = static_cast<std::size_t>(options_.prefetch) + 2;
    if (pool_.size() >= most) pool_.pop_front();
    pool_.push_back(tensor);
    return tensor;
  }

  void StartThreads() {
    for (int i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { Work(); });
  }

  void Work() {
    detail::SampleRenderer::Scratch scratch;
    std::unique_lock lock(mutex_);
    for (;;) {
      Slot* slot = nullptr;
      work_ready_.wait(lock, [&] {
        slot = stop_ ? nullptr : OpenSlot();
        return stop_ || slot != nullptr;
      });
      if (stop_) return;
      const std::int64_t begin = slot->taken;
      const std::int64_t end = std::min(begin + piece_, slot->size);
      slot->taken = end;
      ++busy_;
      lock.unlock();
      std::exception_ptr failure;
      try {
        // The whole batch at once: a slow disk answers its requests in the order that suits it.
        if (begin == 0) dataset_->WillRead({slot->order->data() + slot->begin, static_cast<std::size_t>(slot->size)});
        Render(*slot, begin, end, &scratch);
      } catch (...) {
        failure = std::current_exception();
      }
      lock.lock();
      --busy_;
      // Of several failures the one of the earliest piece that ends is told; all name a file.
      if (failure && !slot->failure) slot->failure = failure;
      slot->done += end - begin;
      if (slot->done == slot->size || busy_ == 0) batch_ready_.notify_all();
    }
  }

  /// The first slot with images left to take.
  Slot* OpenSlot() {
    while (first_open_ < window_.size() && window_[first_open_]->taken == window_[first_open_]->size) ++first_open_;
    return first_open_ < window_.size() ? window_[first_open_].get() : nullptr;
  }

  void Render(const Slot& slot, std::int64_t begin, std::int64_t end, detail::SampleRenderer::Scratch* scratch) const {
    const std::int64_t values = std::int64_t{3} * options_.resolution * options_.resolution;
    for (std::int64_t i = begin; i < end; ++i) {
      renderer_.Render(*dataset_, (*slot.order)[slot.begin + i], slot.epoch, scratch, slot.pixels + i * values);
    }
  }

  void RenderInline(Slot* slot) {
    try {
      Render(*slot, slot->done, slot->size, &inline_scratch_);
      slot->taken = slot->done = slot->size;
    } catch (...) {
      slot->failure = std::current_exception();
    }
  }

  /// Forgets what was prepared; waits for the pieces that threads are at.
  void DropWindow(std::unique_lock<std::mutex>* lock) {
    for (auto& slot : window_) slot->taken = slot->size;
    batch_ready_.wait(*lock, [&] { return busy_ == 0; });
    window_.clear();
    first_open_ = 0;
  }

  std::shared_ptr<const Dataset> dataset_;
  LoaderOptions options_;
  detail::SampleRenderer renderer_;
  std::int64_t piece_ = 1;
  std::int64_t epoch_ = 0;
  std::int64_t batch_ = 0;
  double wait_seconds_ = 0;
  detail::SampleRenderer::Scratch inline_scratch_;
  Order order_;
  std::int64_t order_epoch_ = -1;

  std::mutex mutex_;
  std::condition_variable work_ready_;
  std::condition_variable batch_ready_;
  std::deque<std::unique_ptr<Slot>> window_;
  std::size_t first_open_ = 0;  ///< slots before it have no images left to take
  std::deque<at::Tensor> pool_;
  int busy_ = 0;  ///< threads at a piece
  bool stop_ = false;
  std::vector<std::jthread> threads_;
};

Loader::Loader(std::shared_ptr<const Dataset> dataset, const LoaderOptions& options)
    : impl_(std::make_unique<Impl>(std::move(dataset), options)) {}
Loader::~Loader() = default;

std::int64_t Loader::batches_per_epoch() const { return impl_->batches_per_epoch(); }
std::int64_t Loader::images_per_epoch() const { return impl_->images_per_epoch(); }
void Loader::Seek(std::int64_t epoch, std::int64_t batch) { impl_->Seek(epoch, batch); }
bool Loader::Next(Batch* out) { return impl_->Next(out); }
double Loader::wait_seconds() const { return impl_->wait_seconds(); }

}  // namespace nas
