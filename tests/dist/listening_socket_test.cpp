// SPDX-License-Identifier: Apache-2.0
#include "dist/listening_socket.h"

#include <cerrno>

#include "support/catch_compat.h"

using nas::detail::ListeningSocket;
using Where = ListeningSocket::Where;

TEST_CASE("a port is had once, and again after its socket is closed", "[dist]") {
  const Where where = GENERATE(Where::kLoopback, Where::kAllAddresses);
  auto socket = ListeningSocket::Open(where, /*port=*/0);
  REQUIRE(socket.has_value());
  const int port = socket->port();
  REQUIRE(port > 0);
  for (const Where other : {Where::kLoopback, Where::kAllAddresses}) {
    REQUIRE_FALSE(ListeningSocket::Open(other, port).has_value());
    REQUIRE(errno == EADDRINUSE);
  }
  socket->Close();
  const auto again = ListeningSocket::Open(where, port);
  REQUIRE(again.has_value());
  REQUIRE(again->port() == port);
}
