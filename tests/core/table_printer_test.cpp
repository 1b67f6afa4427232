// SPDX-License-Identifier: Apache-2.0
#include "nas/core/table_printer.h"

#include "core/expect_error.h"
#include "support/catch_compat.h"

namespace nas {
namespace {

TEST_CASE("columns of numbers are right-aligned, others left") {
  TablePrinter table({"target", "latency", "MACs", "op"});
  table.AddRow({"cpu", "4.97 ms", "320.4 M", "3x3"});
  table.AddRow({"größe", "12.3 ms", "-", "identity"});
  table.AddRow({"x", "312 us", "7.5 k", ""});
  CHECK(table.ToString() ==
        "target  latency     MACs  op\n"
        "------  -------  -------  --------\n"
        "cpu     4.97 ms  320.4 M  3x3\n"
        "größe   12.3 ms        -  identity\n"
        "x        312 us    7.5 k\n");
}

TEST_CASE("a column without any number is text, one with a word among numbers, too") {
  TablePrinter table({"a", "b", "c"});
  table.AddRow({"-", "1", "+0.5%"});
  table.AddRow({"-----", "seven", "-12.25 %"});
  CHECK(table.ToString() ==
        "a      b             c\n"
        "-----  -----  --------\n"
        "-      1         +0.5%\n"
        "-----  seven  -12.25 %\n");
}

TEST_CASE("an empty table is its header; colour makes that bold") {
  const TablePrinter table({"name", "n"});
  CHECK(table.ToString() == "name  n\n----  -\n");
  CHECK(table.ToString(/*color=*/true) == "\x1b[1mname  n\x1b[0m\n----  -\n");
}

TEST_CASE("a row of another length is our own fault") {
  TablePrinter table({"a", "b"});
  CHECK(testing::MessageOf(ErrorKind::kInternal, [&] { table.AddRow({"1"}); }) ==
        "a table of 2 columns was given a row of 1");
}

}  // namespace
}  // namespace nas
