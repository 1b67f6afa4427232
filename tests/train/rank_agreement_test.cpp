// SPDX-License-Identifier: Apache-2.0
#include "support/torch_test.h"

#include <condition_variable>
#include <mutex>
#include <thread>

#include <nlohmann/json.hpp>

#include "core/expect_error.h"
#include "nas/core/text.h"
#include "nas/train/rank_agreement.h"
#include "support/partial_communicator.h"

using namespace nas;
using nas::testing::MessageOf;

namespace {

/// Ranks of one process, for what needs texts of all only.
struct Table {
  explicit Table(std::size_t ranks) : texts(ranks), generation(ranks, 0) {}
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> texts;
  std::vector<int> generation;
  std::vector<std::vector<std::string>> rounds;
};

class Seat : public nas::test::PartialCommunicator {
 public:
  Seat(Table& table, int rank) : PartialCommunicator(rank, static_cast<int>(table.texts.size())), table_(table) {}
  std::vector<std::string> AllGather(std::string_view mine) override {
    std::unique_lock lock(table_.mutex);
    const auto self = static_cast<std::size_t>(Rank());
    const auto round = static_cast<std::size_t>(table_.generation[self]++);
    table_.texts[self] = mine;
    const int all = static_cast<int>(round) + 1;
    bool complete = true;
    for (const int done : table_.generation) complete = complete && done >= all;
    if (complete) {
      table_.rounds.push_back(table_.texts);
      table_.changed.notify_all();
    }
    table_.changed.wait(lock, [&] { return table_.rounds.size() > round; });
    return table_.rounds[round];
  }

 private:
  Table& table_;
};

/// What each of three ranks hears when they compare themselves; "" = all is well.
template <typename Action>
std::vector<std::string> OnThreeRanks(ErrorKind kind, const Action& action) {
  Table table(3);
  std::vector<std::string> heard(3);
  std::vector<std::thread> threads;
  for (int rank = 0; rank < 3; ++rank) {
    threads.emplace_back([&, rank] {
      Seat seat(table, rank);
      heard[static_cast<std::size_t>(rank)] = MessageOf(kind, [&] { action(seat); });
    });
  }
  for (std::thread& thread : threads) thread.join();
  return heard;
}

}  // namespace

TEST_CASE("replicas agree", "[train]") {
  for (const std::string& heard : OnThreeRanks(ErrorKind::kVerification, [](Communicator& ranks) {
         RankAgreement agreement(ranks, StrCat("host", ranks.Rank()));
         for (int step = 0; step < 5; ++step) agreement.Note(step, "path", StrCat("path of ", step));
         agreement.Check("alphas", {{"first", at::zeros({8})}});
         agreement.Check("alphas", {{"first", at::zeros({8})}});
       })) {
    REQUIRE(heard == "(no error)");
  }
}

TEST_CASE("one bit of a weight that flips on one rank: all name the tensor, the rank and its host", "[train]") {
  for (const std::string& heard : OnThreeRanks(ErrorKind::kVerification, [](Communicator& ranks) {
         RankAgreement agreement(ranks, StrCat("host", ranks.Rank()));
         agreement.Note(1, "path", "same");
         at::Tensor second = at::ones({64});
         if (ranks.Rank() == 1) static_cast<std::uint32_t*>(second.data_ptr())[17] ^= 1U;
         agreement.Check("alphas", {{"first", at::zeros({8})}, {"second", second}});
       })) {
    INFO(heard);
    REQUIRE(heard.find("rank 1 (host1) left the others at tensor second") != std::string::npos);
  }
}

TEST_CASE("another path at one step is found by its number", "[train]") {
  for (const std::string& heard : OnThreeRanks(ErrorKind::kVerification, [](Communicator& ranks) {
         RankAgreement agreement(ranks, StrCat("host", ranks.Rank()));
         for (int step = 40; step < 44; ++step) {
           agreement.Note(step, "path", ranks.Rank() == 2 && step >= 42 ? "other" : StrCat("path ", step));
         }
         agreement.Check("alphas", {{"first", at::full({8}, ranks.Rank() == 2 ? 1 : 0)}});
       })) {
    INFO(heard);
    REQUIRE(heard.find("rank 2 (host2) left the others at step 42 (path)") != std::string::npos);
  }
}

TEST_CASE("alphas that differ without a step that does", "[train]") {
  for (const std::string& heard : OnThreeRanks(ErrorKind::kVerification, [](Communicator& ranks) {
         RankAgreement agreement(ranks, "host");
         agreement.Check(ranks.Rank() == 0 ? "alphas" : "others", {});
       })) {
    REQUIRE(heard.find("rank 0 (host) left the others at the architecture's parameters") != std::string::npos);
  }
}

TEST_CASE("hello: another build is refused by all, naming both", "[train]") {
  for (const std::string& heard : OnThreeRanks(ErrorKind::kInput, [](Communicator& ranks) {
         CheckHello(ranks, StrCat("node", ranks.Rank()), Json{{"build", ranks.Rank() == 2 ? "9f31" : "4be8"}}, Json{});
       })) {
    INFO(heard);
    REQUIRE(heard.find("rank 2 (node2): build 9f31 is not the 4be8 of rank 0 (node0)") != std::string::npos);
  }
}
