// SPDX-License-Identifier: Apache-2.0
// The contract of Communicator with one process, and with two real ones over Gloo on loopback: this program starts
// itself again as the other rank.
#include <torch/torch.h>
#undef CHECK
#define CATCH_CONFIG_RUNNER
#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <thread>

#include "core/expect_error.h"
#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/text.h"
#include "nas/dist/child_process.h"
#include "nas/dist/communicator.h"
#include "nas/dist/meeting.h"
#include "support/catch_compat.h"

using namespace nas;
using nas::testing::MessageOf;

namespace {

/// A listening socket on a free port of loopback.
struct Listener {
  int fd = -1;
  int port = 0;
  Listener() {
    fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(fd, 16) == 0);
    socklen_t length = sizeof address;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
    port = ntohs(address.sin_port);
  }
};

GlooOptions Options(int rank, int size, int port) {
  GlooOptions options;
  options.rank = rank;
  options.size = size;
  options.master_port = port;
  options.rendezvous_s = 60;
  options.collective_s = 60;
  return options;
}

/// What every rank does; the same calls in the same order. Returns "" or what went wrong.
std::string Contract(Communicator& c) {
  const int rank = c.Rank();
  const int size = c.Size();
  const double ranks = size;
  const auto fail = [&](const std::string& what) { return StrCat("rank ", rank, ": ", what); };

  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    at::Tensor flat = at::arange(1000, type) * (rank + 1);
    c.AllReduceSum(flat)->Wait();
    if (!flat.equal(at::arange(1000, type) * (ranks * (ranks + 1) / 2))) return fail("sum of a tensor");
  }
  // Two under way at once, waited for in the other order.
  at::Tensor one = at::full({3}, 1.0F);
  at::Tensor two = at::full({5}, 2.0F);
  auto first = c.AllReduceSum(one);
  auto second = c.AllReduceSum(two);
  second->Wait();
  first->Wait();
  if (one[0].item<double>() != ranks || two[4].item<double>() != 2 * ranks) return fail("two sums at once");

  std::vector<double> host{1.0, static_cast<double>(rank)};
  c.AllReduceSum(std::span<double>(host));
  if (host[0] != ranks || host[1] != ranks * (ranks - 1) / 2) return fail("sum of host numbers");

  at::Tensor weights = at::full({7}, rank, at::kLong);
  c.Broadcast(weights, size - 1);
  if (!weights.equal(at::full({7}, size - 1, at::kLong))) return fail("broadcast of a tensor");
  const std::string text = BroadcastText(c, rank == 0 ? std::string("from\0rank 0", 11) : "", 0);
  if (text != std::string("from\0rank 0", 11)) return fail("broadcast of a text");
  if (!BroadcastText(c, rank == 0 ? "" : "x", 0).empty() && size > 1) return fail("broadcast of an empty text");

  const auto texts = c.AllGather(std::string(static_cast<std::size_t>(rank) * 3, 'a'));
  if (static_cast<int>(texts.size()) != size) return fail("number of gathered texts");
  for (int r = 0; r < size; ++r) {
    if (texts[static_cast<std::size_t>(r)] != std::string(static_cast<std::size_t>(r) * 3, 'a'))
      return fail("gathered text");
  }
  at::Tensor all = at::zeros({size, 2, 2}, at::kLong);
  c.AllGather(at::full({2, 2}, rank, at::kLong), all);
  for (int r = 0; r < size; ++r) {
    if (!all[r].equal(at::full({2, 2}, r, at::kLong))) return fail("gathered tensor");
  }

  // The same bits everywhere, whatever the order of arrival: floats whose sum depends on the order.
  at::Tensor odd =
      at::rand({4096}, at::make_generator<at::CPUGeneratorImpl>(static_cast<std::uint64_t>(rank) + 1)) * 1e3;
  c.AllReduceSum(odd)->Wait();
  const auto* bytes = static_cast<const char*>(odd.data_ptr());
  const auto sums = c.AllGather(std::string_view(bytes, odd.nbytes()));
  for (const std::string& sum : sums) {
    if (sum != sums[0]) return fail("bits of a sum differ between ranks");
  }
  c.Barrier("end of the contract");
  return "";
}

constexpr const char* kThisStart = "nas/12/0/3";

/// `place`: folder where a port may be published; "" = the port is a must.
int RunRank(int rank, int size, int port, const std::string& role, const std::string& place) {
  try {
    const auto c = place.empty() ? MakeGlooCommunicator(Options(rank, size, port))
                                 : MeetRanks(Options(rank, size, port), RendezvousFile(place, kThisStart));
    if (role == "contract") {
      const std::string fault = Contract(*c);
      if (!fault.empty()) std::cerr << fault << '\n';
      return fault.empty() ? 0 : 1;
    }
    c->Barrier("both are there");
    if (role == "die") ::raise(SIGKILL);
    return 0;
  } catch (const Error& error) {
    std::cerr << error.what() << '\n';
    return ExitCode(error.kind());
  }
}

ChildProcess StartRank(int rank, int size, int port, const std::string& role, const std::string& place = "") {
  ChildOptions options;
  options.argv = {"/proc/self/exe"};
  options.environment = {{"NAS_TEST_RANK", StrCat(rank, ' ', size, ' ', port, ' ', role, ' ', place)}};
  return ChildProcess(options);
}

int WaitFor(ChildProcess& child) {
  for (int i = 0; i < 12'000; ++i) {
    if (const auto exit = child.Poll()) return *exit;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return -1;
}

}  // namespace

TEST_CASE("the contract holds for a single process", "[dist]") {
  const auto c = MakeSingleCommunicator();
  REQUIRE(c->Size() == 1);
  REQUIRE(Contract(*c).empty());
}

TEST_CASE("the contract holds for two processes", "[dist]") {
  const Listener listener;
  GlooOptions options = Options(0, 2, listener.port);
  options.listen_fd = listener.fd;
  ChildProcess other = StartRank(1, 2, listener.port, "contract");
  const auto c = MakeGlooCommunicator(options);
  REQUIRE(Contract(*c) == "");
  REQUIRE(WaitFor(other) == 0);
  REQUIRE(c->Stats().calls > 10);
  REQUIRE(c->Stats().bytes > 1000 * 12);
}

TEST_CASE("a rank that is killed ends the others' collective with 75", "[dist]") {
  const Listener listener;
  GlooOptions options = Options(0, 2, listener.port);
  options.listen_fd = listener.fd;
  ChildProcess other = StartRank(1, 2, listener.port, "die");
  const auto c = MakeGlooCommunicator(options);
  c->Barrier("both are there");
  at::Tensor flat = at::ones({1 << 16});
  const std::string message = MessageOf(ErrorKind::kCheckpointed, [&] { c->AllReduceSum(flat)->Wait(); });
  INFO(message);
  REQUIRE(message.find("a rank was lost") != std::string::npos);
  REQUIRE(WaitFor(other) == 128 + SIGKILL);
}

TEST_CASE("nobody there, a silent service, a taken port: exit 5 with host and port", "[dist]") {
  SECTION("nobody") {
    int port = 0;
    {
      const Listener listener;
      port = listener.port;
      ::close(listener.fd);
    }
    GlooOptions options = Options(1, 2, port);
    options.rendezvous_s = 1;
    const std::string message = MessageOf(ErrorKind::kUnavailable, [&] { MakeGlooCommunicator(options); });
    INFO(message);
    REQUIRE(message.find(StrCat("127.0.0.1:", port)) != std::string::npos);
  }
  SECTION("a service that never answers") {
    const Listener silent;
    GlooOptions options = Options(1, 2, silent.port);
    options.rendezvous_s = 1;
    const std::string message = MessageOf(ErrorKind::kUnavailable, [&] { MakeGlooCommunicator(options); });
    INFO(message);
    REQUIRE(message.find(StrCat("127.0.0.1:", silent.port)) != std::string::npos);
  }
  SECTION("the port is taken") {
    const Listener taken;
    GlooOptions options = Options(0, 2, taken.port);
    options.rendezvous_s = 5;
    const std::string message = MessageOf(ErrorKind::kUnavailable, [&] { MakeGlooCommunicator(options); });
    INFO(message);
    REQUIRE(message.find(StrCat(taken.port)) != std::string::npos);
  }
  SECTION("a host that nobody knows") {
    GlooOptions options = Options(1, 2, 29'500);
    options.master_addr = "no-such-host.invalid";
    const std::string message = MessageOf(ErrorKind::kUnavailable, [&] { MakeGlooCommunicator(options); });
    REQUIRE(message.find("no-such-host.invalid") != std::string::npos);
  }
}

TEST_CASE("where the agreed port is taken the ranks meet at one that rank 0 publishes", "[dist]") {
  const TempDir dir;
  const RendezvousFile place(dir.path(), kThisStart);
  const Listener taken;
  std::unique_ptr<Communicator> foreign;
  bool silent = false;
  SECTION("by a service that never answers") { silent = true; }
  SECTION("by the store of another job") {
    GlooOptions options = Options(0, 1, taken.port);
    options.listen_fd = taken.fd;
    options.prefix = "nas/11/0/0";
    foreign = MakeGlooCommunicator(options);
  }
  // What an earlier start has left misleads nobody.
  RendezvousFile(dir.path(), "nas/12/0/2").Publish(taken.port);
  ChildProcess other = StartRank(1, 2, taken.port, "contract", dir.path().string());
  // Not before the other one has tried the agreed port.
  if (silent) {
    for (int connection = 0; connection < 2; ++connection) REQUIRE(::accept(taken.fd, nullptr, nullptr) >= 0);
  } else {
    std::this_thread::sleep_for(std::chrono::seconds(2));
  }
  const auto c = MeetRanks(Options(0, 2, taken.port), place);
  REQUIRE(Contract(*c) == "");
  REQUIRE(WaitFor(other) == 0);
  REQUIRE(place.Port() > 0);
  REQUIRE(place.Port() != taken.port);
}

TEST_CASE("where the agreed port is free nothing is published, and nobody there is exit 5", "[dist]") {
  const TempDir dir;
  const RendezvousFile place(dir.path(), kThisStart);
  int port = 0;
  {
    const Listener listener;
    port = listener.port;
    ::close(listener.fd);
  }
  SECTION("free") {
    ChildProcess other = StartRank(1, 2, port, "contract", dir.path().string());
    const auto c = MeetRanks(Options(0, 2, port), place);
    REQUIRE(Contract(*c) == "");
    REQUIRE(WaitFor(other) == 0);
    REQUIRE_FALSE(std::filesystem::exists(place.path()));
  }
  SECTION("nobody") {
    GlooOptions options = Options(1, 2, port);
    options.rendezvous_s = 1;
    const std::string message = MessageOf(ErrorKind::kUnavailable, [&] { MeetRanks(options, place); });
    INFO(message);
    REQUIRE(message.find(StrCat("127.0.0.1:", port)) != std::string::npos);
    REQUIRE(message.find("rendezvous.json") != std::string::npos);
  }
}

int main(int argc, char** argv) {
  if (const char* task = std::getenv("NAS_TEST_RANK")) {
    const std::vector<std::string> words = Split(task, ' ');
    return RunRank(std::atoi(words[0].c_str()), std::atoi(words[1].c_str()), std::atoi(words[2].c_str()), words[3],
                   words[4]);
  }
  return Catch::Session().run(argc, argv);
}
