// SPDX-License-Identifier: Apache-2.0
#include "profile/partial_file.h"

#include <fstream>

#include "nas/core/error.h"
#include "nas/core/files.h"
#include "support/catch_compat.h"

using namespace nas;
using detail::PartialFile;
using detail::PartialHeader;

namespace {

PartialHeader Header() {
  PartialHeader header;
  header.identity.model = "test";
  header.space = "tiny, 32 px";
  header.plan = "quick";
  header.seed = 3;
  header.start = "2026-11-22T10:00:00Z";
  return header;
}

ItemResult Result(const std::string& id, double ms) {
  ItemResult result;
  result.id = id;
  result.n = 20;
  result.median = ms;
  return result;
}

std::string Message(const std::filesystem::path& path, const PartialHeader& header) {
  try {
    PartialFile::Resume(path, header);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::kInput);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("results survive the process; the last of an item wins") {
  const TempDir dir;
  const auto path = PartialFile::PathFor((dir.path() / "t.json").string());
  {
    PartialFile file = PartialFile::Create(path, Header());
    file.Add(Result("a", 1));
    file.Add(Result("b", 2));
    file.Add(Result("a", 3));
  }
  PartialHeader later = Header();
  later.start = "2026-11-23T10:00:00Z";
  PartialFile file = PartialFile::Resume(path, later);
  CHECK(file.results().size() == 2);
  CHECK(file.results().at("a").median == 3);
  CHECK(file.header().start == "2026-11-22T10:00:00Z");
  file.Remove();
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("a line cut short by a crash is dropped, and the next one does not join it") {
  const TempDir dir;
  const auto path = dir.path() / "t.partial.jsonl";
  {
    PartialFile file = PartialFile::Create(path, Header());
    file.Add(Result("a", 1));
    file.Add(Result("b", 2));
  }
  const std::string text = ReadFile(path);
  WriteFileAtomic(path, text.substr(0, text.size() - 10));
  {
    PartialFile file = PartialFile::Resume(path, Header());
    CHECK(file.results().size() == 1);
    file.Add(Result("c", 3));
  }
  CHECK(PartialFile::Resume(path, Header()).results().size() == 2);
}

TEST_CASE("results of another device or plan are refused, naming the difference") {
  const TempDir dir;
  const auto path = dir.path() / "t.partial.jsonl";
  PartialFile::Create(path, Header());
  PartialHeader other = Header();
  other.identity.threads = 4;
  CHECK(Message(path, other).find("threads") != std::string::npos);
  other = Header();
  other.plan = "full";
  CHECK(Message(path, other).find("plan full") != std::string::npos);
  other = Header();
  other.seed = 4;
  CHECK(Message(path, other).find("seed 4") != std::string::npos);
  CHECK(Message(path, Header()).empty());
}

TEST_CASE("a damaged line in the middle is an error with its line") {
  const TempDir dir;
  const auto path = dir.path() / "t.partial.jsonl";
  PartialFile::Create(path, Header()).Add(Result("a", 1));
  std::ofstream(path, std::ios::app) << "{\"id\": \"b\", \"n\": 3\n{}\n";
  CHECK(Message(path, Header()).find("line 3") != std::string::npos);
}
