// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <unordered_set>
#include <utility>

#include "json_pointer.h"
#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/json.h"
#include "nas/core/text.h"

namespace nas {

namespace {

constexpr int kDeepestNesting = 200;  // keeps every recursive reader of the value far from the end of the stack

/// Byte offsets of a value and of the key before it (of the value again where there is none).
struct Position {
  std::size_t value = 0;
  std::size_t key = 0;
};
using Positions = std::map<std::string, Position>;

/// Moves over a text that the parser has already accepted, token by token.
class TokenCursor {
 public:
  explicit TokenCursor(std::string_view text) : text_(text), at_(text.starts_with("\xEF\xBB\xBF") ? 3 : 0) {}

  /// Offset of the token that follows the last one, which is passed over.
  std::size_t Next() {
    SkipFiller();
    const std::size_t start = at_;
    if (start >= text_.size()) return start;
    if (text_[at_] == '"') {
      for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
        if (text_[at_] == '\\') ++at_;
      }
      ++at_;
    } else if (std::string_view("{}[]").find(text_[at_]) != std::string_view::npos) {
      ++at_;
    } else {
      at_ = std::min(text_.find_first_of(" \t\r\n,:]}/", at_), text_.size());
    }
    return start;
  }

 private:
  void SkipFiller() {
    for (;;) {
      at_ = std::min(text_.find_first_not_of(" \t\r\n,:", at_), text_.size());
      if (text_.substr(at_, 2) == "//") {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (text_.substr(at_, 2) == "/*") {
        const std::size_t end = text_.find("*/", at_ + 2);
        at_ = end == std::string_view::npos ? text_.size() : end + 2;
      } else {
        return;
      }
    }
  }

  std::string_view text_;
  std::size_t at_;
};

// `line:column` of a byte offset, both from 1; columns count UTF-8 characters as editors do.
std::string LineAndColumn(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t line_start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  const std::string_view in_line = before.substr(line_start);
  const auto column = 1 + std::count_if(in_line.begin(), in_line.end(), [](char c) { return (c & 0xC0) != 0x80; });
  return StrCat(line, ':', column);
}

/// What both passes over the text share: the JSON pointer of the value that comes next.
class PathTracker {
 public:
  void Key(const std::string& key) { levels_.back().name = key; }
  void Open(bool is_array) { levels_.push_back({is_array, -1, ""}); }
  void Close() { levels_.pop_back(); }
  std::size_t depth() const { return levels_.size(); }
  /// Called once per value, before `Open`.
  void Value() {
    if (!levels_.empty()) ++levels_.back().index;
  }
  bool InObject() const { return !levels_.empty() && !levels_.back().is_array; }
  const std::string& Name() const { return levels_.back().name; }
  std::string Pointer() const {
    std::string pointer;
    for (const Level& level : levels_) {
      pointer = detail::PointerTo(pointer, level.is_array ? std::to_string(level.index) : level.name);
    }
    return pointer;
  }

 private:
  struct Level {
    bool is_array;
    std::int64_t index;
    std::string name;
  };
  std::vector<Level> levels_;
};

/// Builds the value, refusing what the standard handler lets pass: repeated keys and endless nesting.
class ValueBuilder : public nlohmann::json_sax<Json> {
 public:
  ValueBuilder(std::string_view text, const std::string& source) : text_(text), source_(source), cursor_(text) {}

  Json TakeRoot() { return std::move(root_); }

  bool null() override { return Scalar(nullptr); }
  bool boolean(bool value) override { return Scalar(value); }
  bool number_integer(number_integer_t value) override { return Scalar(value); }
  bool number_unsigned(number_unsigned_t value) override { return Scalar(value); }
  bool number_float(number_float_t value, const string_t&) override { return Scalar(value); }
  bool string(string_t& value) override { return Scalar(std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return Open(Json::object(), false); }
  bool start_array(std::size_t) override { return Open(Json::array(), true); }
  bool end_object() override { return Close(); }
  bool end_array() override { return Close(); }

  bool key(string_t& name) override {
    const std::size_t offset = cursor_.Next();
    path_.Key(name);
    if (!keys_.back().insert(name).second) {
      ThrowInput(StrCat(source_, ':', LineAndColumn(text_, offset), " (", path_.Pointer(), "): the key \"", name,
                        "\" comes twice; remove one of them"));
    }
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception& error) override {
    const std::size_t offset = std::min(position > 0 ? position - 1 : 0, text_.size());
    // The library says "[json.exception…] parse error at line 1, column 2: what"; only "what" is for people.
    std::string what = error.what();
    if (const std::size_t prefix = what.find("] "); prefix != std::string::npos) what.erase(0, prefix + 2);
    if (StartsWith(what, "parse error")) {
      if (const std::size_t colon = what.find(": "); colon != std::string::npos) what.erase(0, colon + 2);
    }
    const bool cut_off = what.find("unexpected end of input") != std::string::npos;
    ThrowInput(StrCat(source_, ':', LineAndColumn(text_, offset), ": not valid JSON: ", what,
                      cut_off ? "; the file is cut off: write it again" : "; correct it there"));
  }

 private:
  template <typename T>
  bool Scalar(T&& value) {
    cursor_.Next();
    path_.Value();
    Add(Json(std::forward<T>(value)));
    return true;
  }

  bool Open(Json container, bool is_array) {
    const std::size_t offset = cursor_.Next();
    path_.Value();
    if (path_.depth() >= kDeepestNesting) {
      ThrowInput(StrCat(source_, ':', LineAndColumn(text_, offset), ": nested deeper than ", kDeepestNesting,
                        " levels; flatten it"));
    }
    open_.push_back(Add(std::move(container)));
    keys_.emplace_back();
    path_.Open(is_array);
    return true;
  }

  bool Close() {
    cursor_.Next();
    open_.pop_back();
    keys_.pop_back();
    path_.Close();
    return true;
  }

  // Containers stay where they are while they are open: only the innermost one grows.
  Json* Add(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    if (path_.InObject()) {
      // Past the map's own insertion, which looks through all keys; `keys_` has done that.
      auto& members = open_.back()->get_ref<Json::object_t&>();
      members.emplace_back(path_.Name(), std::move(value));
      return &members.back().second;
    }
    open_.back()->push_back(std::move(value));
    return &open_.back()->back();
  }

  std::string_view text_;
  const std::string& source_;
  TokenCursor cursor_;
  PathTracker path_;
  Json root_;
  std::vector<Json*> open_;
  std::vector<std::unordered_set<std::string>> keys_;
};

/// Second pass, only run when a message needs a place: byte offsets of every value.
class PositionRecorder : public nlohmann::json_sax<Json> {
 public:
  explicit PositionRecorder(std::string_view text) : cursor_(text) {}

  Positions TakePositions() { return std::move(positions_); }

  bool null() override { return Record(); }
  bool boolean(bool) override { return Record(); }
  bool number_integer(number_integer_t) override { return Record(); }
  bool number_unsigned(number_unsigned_t) override { return Record(); }
  bool number_float(number_float_t, const string_t&) override { return Record(); }
  bool string(string_t&) override { return Record(); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return Open(false); }
  bool start_array(std::size_t) override { return Open(true); }
  bool end_object() override { return Close(); }
  bool end_array() override { return Close(); }
  bool key(string_t& name) override {
    key_offset_ = cursor_.Next();
    path_.Key(name);
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) override { return false; }

 private:
  bool Record() {
    const std::size_t offset = cursor_.Next();
    path_.Value();
    positions_.emplace(path_.Pointer(), Position{offset, path_.InObject() ? key_offset_ : offset});
    return true;
  }
  bool Open(bool is_array) {
    Record();
    path_.Open(is_array);
    return true;
  }
  bool Close() {
    cursor_.Next();
    path_.Close();
    return true;
  }

  TokenCursor cursor_;
  PathTracker path_;
  std::size_t key_offset_ = 0;
  Positions positions_;
};

template <typename Handler>
bool RunSax(const std::string& text, Handler* handler) {
  return Json::sax_parse(text, handler, Json::input_format_t::json, /*strict=*/true, /*ignore_comments=*/true);
}

}  // namespace

struct JsonDocument::Content {
  Json root;
  std::string text;
  std::string source;
  mutable std::once_flag recorded;
  mutable Positions positions;

  Position Find(std::string pointer) const {
    std::call_once(recorded, [this] {
      PositionRecorder recorder(text);
      RunSax(text, &recorder);
      positions = recorder.TakePositions();
    });
    for (;;) {
      if (const auto found = positions.find(pointer); found != positions.end()) return found->second;
      if (pointer.empty()) return {};
      pointer.erase(pointer.rfind('/'));
    }
  }

  std::string Describe(std::size_t offset, const std::string& pointer) const {
    std::string place = StrCat(source, ':', LineAndColumn(text, offset));
    if (!pointer.empty()) place += StrCat(" (", pointer, ')');
    return place;
  }
};

JsonDocument::JsonDocument(std::shared_ptr<const Content> content) : content_(std::move(content)) {}

JsonDocument JsonDocument::Parse(std::string text, std::string source_name) {
  auto content = std::make_shared<Content>();
  content->text = std::move(text);
  content->source = std::move(source_name);
  ValueBuilder builder(content->text, content->source);
  if (!RunSax(content->text, &builder)) ThrowInternal(StrCat(content->source, ": the JSON parser gave up"));
  content->root = builder.TakeRoot();
  return JsonDocument(std::move(content));
}

JsonDocument JsonDocument::Load(const std::string& path) { return Parse(ReadFile(path), path); }

const Json& JsonDocument::root() const { return content_->root; }
const std::string& JsonDocument::source() const { return content_->source; }

std::string JsonDocument::Where(const std::string& pointer) const {
  return content_->Describe(content_->Find(pointer).value, pointer);
}

std::string JsonDocument::WhereKey(const std::string& pointer) const {
  return content_->Describe(content_->Find(pointer).key, pointer);
}

}  // namespace nas
