// SPDX-License-Identifier: Apache-2.0
#include "nas/dist/liveness.h"

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "support/catch_compat.h"

using namespace nas;

namespace {

class MemoryStore : public KeyStore {
 public:
  void Set(const std::string& key, const std::string& value) override {
    Pass();
    const std::lock_guard lock(mutex_);
    values_[key] = value;
  }
  std::optional<std::string> Get(const std::string& key) override {
    Pass();
    const std::lock_guard lock(mutex_);
    const auto it = values_.find(key);
    return it == values_.end() ? std::nullopt : std::optional(it->second);
  }
  std::int64_t Add(const std::string& key, std::int64_t amount) override {
    Pass();
    const std::lock_guard lock(mutex_);
    return counts_[key] += amount;
  }
  std::atomic<bool> gone{false};
  std::atomic<bool> frozen{false};

 private:
  void Pass() const {
    if (gone) throw std::runtime_error("connection reset");
    while (frozen) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  std::mutex mutex_;
  std::map<std::string, std::string> values_;
  std::map<std::string, std::int64_t> counts_;
};

LivenessOptions Options(int rank) {
  LivenessOptions options;
  options.rank = rank;
  options.size = 2;
  options.host = rank == 0 ? "alpha" : "beta";
  options.beat_s = 0.05;
  options.dead_after_s = 0.6;
  options.stall_s = 60;
  return options;
}

/// Long enough for a loaded machine; ends as soon as it is so.
template <typename Condition>
bool Soon(Condition condition) {
  for (int i = 0; i < 4000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

}  // namespace

TEST_CASE("records keep their fields", "[dist]") {
  const AbortRecord record{3, "node17", 7, "diverged at step 9", true};
  const AbortRecord again = AbortRecord::FromText(record.ToText());
  REQUIRE(again.rank == 3);
  REQUIRE(again.host == "node17");
  REQUIRE(again.exit == 7);
  REQUIRE(again.text == "diverged at step 9");
  REQUIRE(again.told);
}

TEST_CASE("the first record counts", "[dist]") {
  MemoryStore store;
  REQUIRE(WriteAbort(store, {0, "a", 3, "first", false}));
  REQUIRE_FALSE(WriteAbort(store, {1, "b", 7, "second", false}));
  REQUIRE(AbortRecord::FromText(*store.Get("abort")).text == "first");
}

TEST_CASE("two living ranks are left alone, a record of one reaches the other", "[dist]") {
  const auto store = std::make_shared<MemoryStore>();
  const Liveness zero(Options(0), store);
  const Liveness one(Options(1), store);
  REQUIRE(Soon([&] { return store->Get("hb/0") && store->Get("hb/1"); }));
  REQUIRE_FALSE(zero.aborted());
  WriteAbort(*store, {1, "beta", 3, "no such file", true});
  REQUIRE(Soon([&] { return zero.aborted().has_value(); }));
  REQUIRE(zero.aborted()->exit == 3);
}

TEST_CASE("a rank that falls silent is named with its host", "[dist]") {
  const auto store = std::make_shared<MemoryStore>();
  const Liveness zero(Options(0), store);
  {
    const Liveness one(Options(1), store);
    REQUIRE(Soon([&] { return store->Get("hb/1").has_value(); }));
  }
  REQUIRE(Soon([&] { return zero.aborted().has_value(); }));
  REQUIRE(zero.aborted()->exit == 75);
  REQUIRE(zero.aborted()->text.find("rank 1 (beta) has not answered") != std::string::npos);
}

TEST_CASE("a rank that stands at one training step is named; one that derives may take its time", "[dist]") {
  const auto store = std::make_shared<MemoryStore>();
  LivenessOptions impatient = Options(0);
  impatient.dead_after_s = 60;
  impatient.stall_s = 0.5;
  const Liveness zero(impatient, store);
  Liveness one(Options(1), store);
  one.Progress(41, "derive");
  std::this_thread::sleep_for(std::chrono::milliseconds(800));
  REQUIRE_FALSE(zero.aborted());
  one.Progress(41, "step");
  REQUIRE(Soon([&] { return zero.aborted().has_value(); }));
  REQUIRE(zero.aborted()->text.find("rank 1 (beta) stands at step 41") != std::string::npos);
}

TEST_CASE("a store that is gone, and one that blocks for good, end the others", "[dist]") {
  const auto store = std::make_shared<MemoryStore>();
  LivenessOptions options = Options(1);
  std::atomic<bool> left{false};
  options.leave_s = 0.3;
  options.leave = [&left] { left = true; };
  const Liveness one(options, store);
  REQUIRE(Soon([&] { return store->Get("hb/1").has_value(); }));
  SECTION("gone") {
    store->gone = true;
    REQUIRE(Soon([&] { return one.aborted().has_value(); }));
  }
  SECTION("frozen") {
    store->frozen = true;
    REQUIRE(Soon([&] { return one.aborted().has_value(); }));
    REQUIRE(one.aborted()->text.find("rank 0 has not answered") != std::string::npos);
  }
  // The main thread does not come back: the process is left as it is.
  REQUIRE(Soon([&] { return left.load(); }));
  store->frozen = false;
}
