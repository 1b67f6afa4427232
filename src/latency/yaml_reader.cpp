// SPDX-License-Identifier: Apache-2.0
#include "yaml_reader.h"

#include <set>

#include "import_rules.h"
#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas {
namespace {

constexpr const char* kForm = "expected a map of maps, like \"Conv-input:224x224x3-output:112x112x32: {mean: 4.1}\"";

class YamlScanner {
 public:
  YamlScanner(const std::string& text, const std::string& source_name) : text_(text), source_(source_name) {}

  std::vector<YamlEntry> Run() {
    SkipDocumentStart();
    SkipBlank();
    if (End()) return {};
    if (Peek() == '{') {
      ReadFlowDocument();
    } else {
      ReadBlockDocument();
    }
    return std::move(entries_);
  }

 private:
  bool End() const { return at_ >= text_.size(); }
  char Peek() const { return text_[at_]; }
  char Next() const { return at_ + 1 < text_.size() ? text_[at_ + 1] : '\n'; }
  size_t Column() const { return at_ - line_start_; }
  std::string Where() const { return StrCat(source_, ":", line_); }
  [[noreturn]] void Fail(const std::string& what) const { ThrowAt(Where(), StrCat(what, "; ", kForm)); }
  [[noreturn]] void CutOff() const {
    ThrowInput(StrCat(source_, ": ends inside record ", entries_.size(), "; the file is cut off, get it again"));
  }

  void Advance() {
    if (text_[at_++] == '\n') {
      ++line_;
      line_start_ = at_;
    }
  }

  void SkipDocumentStart() {
    SkipBlank();
    if (text_.compare(at_, 3, "---") == 0) at_ += 3;
  }

  /// Blanks, line ends and comments.
  void SkipBlank() {
    while (!End()) {
      const char c = Peek();
      if (c == '#') {
        SkipLine();
      } else if (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
        if (c == '\t' && text_.find_first_not_of(" \t", line_start_) >= at_) {
          const size_t next = text_.find_first_not_of(" \t\r", at_);
          if (next != std::string::npos && text_[next] != '\n' && text_[next] != '#') Fail("a tab used as indentation");
        }
        Advance();
      } else {
        break;
      }
    }
  }
  void SkipLine() {
    while (!End() && Peek() != '\n') Advance();
  }
  void SkipSpaces() {
    while (!End() && (Peek() == ' ' || Peek() == '\t' || Peek() == '\r')) Advance();
  }
  bool AtLineEnd() const { return End() || Peek() == '\n' || Peek() == '#'; }

  bool AtComment() const { return Peek() == '#' && at_ > 0 && (text_[at_ - 1] == ' ' || text_[at_ - 1] == '\t'); }
  bool AtColon() const {
    return Peek() == ':' &&
           (Next() == ' ' || Next() == '\n' || Next() == '\r' || Next() == '\t' || at_ + 1 >= text_.size());
  }

  std::string ReadQuoted() {
    const char quote = Peek();
    Advance();
    std::string value;
    while (true) {
      if (End()) CutOff();
      const char c = Peek();
      if (c == '\n') Fail("a line end inside quotes");
      Advance();
      if (c == quote) {
        if (quote != '\'' || End() || Peek() != '\'') return value;
        value += '\'';
        Advance();
      } else if (c == '\\' && quote == '"') {
        if (End()) CutOff();
        if (Peek() != '"' && Peek() != '\\') Fail("an escape other than \\\" and \\\\");
        value += Peek();
        Advance();
      } else {
        value += c;
      }
    }
  }

  /// A key or value; `flow`: commas and braces end it.
  std::string ReadScalar(bool key, bool flow) {
    if (End()) CutOff();
    const char first = Peek();
    if (first == '"' || first == '\'') return ReadQuoted();
    if (std::string("-?[]&*!|>%@`{}").find(first) != std::string::npos &&
        !(first == '-' && Next() != ' ' && Next() != '\n')) {
      Fail(StrCat("\"", first, "\" begins something other than a plain key or number"));
    }
    std::string value;
    while (!End() && Peek() != '\n' && !AtComment()) {
      if (key && AtColon()) break;
      if (flow && (Peek() == ',' || Peek() == '}' || Peek() == '{')) break;
      value += Peek();
      Advance();
    }
    return Trim(value);
  }

  std::string ReadKey(bool flow) {
    const std::string key = ReadScalar(/*key=*/true, flow);
    SkipSpaces();
    if (End()) CutOff();
    if (Peek() != ':') Fail(StrCat("no colon after \"", key, "\""));
    Advance();
    if (key.empty()) Fail("an empty key");
    return key;
  }

  void BeginEntry(const std::string& key, int line) {
    if (!keys_.insert(key).second)
      ThrowAt(StrCat(source_, ":", line), StrCat("key \"", key, "\" stands twice; remove one"));
    entries_.push_back({key, line, {}});
  }

  void AddField(const std::string& key, std::string value, int line) {
    YamlEntry& entry = entries_.back();
    if (entry.Find(key) != nullptr)
      ThrowAt(StrCat(source_, ":", line), StrCat("field \"", key, "\" stands twice; remove one"));
    entry.fields.push_back({key, std::move(value), line});
  }

  /// `{key: value, …}` behind an entry's key.
  void ReadFlowFields() {
    Advance();
    while (true) {
      SkipBlank();
      if (End()) CutOff();
      if (Peek() == '}') break;
      const int line = line_;
      const std::string key = ReadKey(/*flow=*/true);
      SkipBlank();
      if (End()) CutOff();
      AddField(key, ReadScalar(/*key=*/false, /*flow=*/true), line);
      SkipBlank();
      if (End()) CutOff();
      if (Peek() == '}') break;
      if (Peek() != ',') Fail("neither a comma nor a closing brace");
      Advance();
    }
    Advance();
  }

  void ReadFlowDocument() {
    Advance();
    while (true) {
      SkipBlank();
      if (End()) CutOff();
      if (Peek() == '}') break;
      const int line = line_;
      BeginEntry(ReadKey(/*flow=*/true), line);
      SkipBlank();
      if (End()) CutOff();
      if (Peek() != '{') Fail(StrCat("\"", entries_.back().key, "\" is not followed by a map"));
      ReadFlowFields();
      SkipBlank();
      if (End()) CutOff();
      if (Peek() == '}') break;
      if (Peek() != ',') Fail("neither a comma nor a closing brace");
      Advance();
    }
    Advance();
    SkipBlank();
    if (!End()) Fail("text after the closing brace");
  }

  void ReadBlockDocument() {
    const size_t indent = Column();
    while (true) {
      SkipBlank();
      if (End()) break;
      if (text_.compare(at_, 3, "...") == 0) break;
      if (Column() != indent) Fail("an indentation that fits neither the entries nor their fields");
      const int line = line_;
      BeginEntry(ReadKey(/*flow=*/false), line);
      SkipSpaces();
      if (!End() && Peek() == '{') {
        ReadFlowFields();
        SkipSpaces();
        if (!AtLineEnd()) Fail("text after the closing brace");
        continue;
      }
      if (!AtLineEnd()) Fail(StrCat("\"", entries_.back().key, "\" is not followed by a map"));
      ReadBlockFields(indent);
    }
  }

  void ReadBlockFields(size_t outer) {
    SkipBlank();
    if (End()) CutOff();
    const size_t indent = Column();
    if (indent <= outer) return;  // an entry without fields: the importer says what is missing
    while (!End() && Column() == indent) {
      const int line = line_;
      const std::string key = ReadKey(/*flow=*/false);
      SkipSpaces();
      if (End()) CutOff();
      if (AtLineEnd()) Fail(StrCat("no value after \"", key, "\""));
      AddField(key, ReadScalar(/*key=*/false, /*flow=*/false), line);
      SkipSpaces();
      if (!AtLineEnd()) Fail(StrCat("text after the value of \"", key, "\""));
      SkipBlank();
    }
  }

  const std::string& text_;
  const std::string& source_;
  size_t at_ = 0;
  size_t line_start_ = 0;
  int line_ = 1;
  std::vector<YamlEntry> entries_;
  std::set<std::string> keys_;
};

}  // namespace

const YamlField* YamlEntry::Find(const std::string& field) const {
  for (const auto& f : fields) {
    if (f.key == field) return &f;
  }
  return nullptr;
}

std::vector<YamlEntry> ReadYamlMaps(const std::string& text, const std::string& source_name) {
  return YamlScanner(text, source_name).Run();
}

}  // namespace nas
