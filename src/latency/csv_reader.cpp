// SPDX-License-Identifier: Apache-2.0
#include "csv_reader.h"

#include "import_rules.h"
#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas {
namespace {

class CsvScanner {
 public:
  CsvScanner(const std::string& text, const std::string& source_name) : text_(text), source_(source_name) {}

  std::vector<CsvRecord> Run() {
    if (text_.compare(0, 3, "\xEF\xBB\xBF") == 0) at_ = 3;  // byte order mark
    while (at_ < text_.size()) ReadRecord();
    return std::move(records_);
  }

 private:
  bool End() const { return at_ >= text_.size(); }
  bool AtLineEnd() const {
    return text_[at_] == '\n' || (text_[at_] == '\r' && (at_ + 1 >= text_.size() || text_[at_ + 1] == '\n'));
  }
  void SkipLineEnd() {
    if (!End() && text_[at_] == '\r') ++at_;
    if (!End() && text_[at_] == '\n') ++at_;
    ++line_;
  }
  std::string Where() const { return StrCat(source_, ":", line_); }

  void ReadRecord() {
    CsvRecord record;
    record.line = line_;
    while (true) {
      record.fields.push_back(!End() && text_[at_] == '"' ? ReadQuoted() : ReadPlain());
      if (End() || text_[at_] != ',') break;
      ++at_;
    }
    if (!End()) SkipLineEnd();
    if (record.fields.size() == 1 && record.fields[0].empty()) return;
    records_.push_back(std::move(record));
  }

  std::string ReadPlain() {
    std::string field;
    while (!End() && text_[at_] != ',' && !AtLineEnd()) {
      if (text_[at_] == '"') ThrowAt(Where(), "a quote inside an unquoted field; quote the whole field");
      field += text_[at_++];
    }
    return field;
  }

  std::string ReadQuoted() {
    std::string field;
    ++at_;
    while (true) {
      if (End())
        ThrowInput(
            StrCat(source_, ": ends inside record ", records_.size() + 1, "; the file is cut off, get it again"));
      const char c = text_[at_++];
      if (c == '\n') ++line_;
      if (c != '"') {
        field += c;
      } else if (!End() && text_[at_] == '"') {
        field += '"';
        ++at_;
      } else {
        break;
      }
    }
    if (!End() && text_[at_] != ',' && !AtLineEnd())
      ThrowAt(Where(), "text after a closing quote; double quotes inside fields");
    return field;
  }

  const std::string& text_;
  const std::string& source_;
  size_t at_ = 0;
  int line_ = 1;
  std::vector<CsvRecord> records_;
};

}  // namespace

std::vector<CsvRecord> ReadCsv(const std::string& text, const std::string& source_name) {
  return CsvScanner(text, source_name).Run();
}

std::string CsvField(const std::string& value) {
  if (value.find_first_of(",\"\r\n") == std::string::npos) return value;
  std::string quoted = "\"";
  for (char c : value) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

}  // namespace nas
