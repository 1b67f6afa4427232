// SPDX-License-Identifier: Apache-2.0
#include "nas/core/table_printer.h"

#include <algorithm>

#include "nas/core/error.h"
#include "nas/core/text.h"
#include "utf8.h"

namespace nas {

namespace {

// A number, perhaps with a sign before and a unit behind: "4.97 ms", "12%", "320.4 M".
bool IsQuantity(const std::string& cell) {
  constexpr std::size_t kLongestUnit = 6;
  const std::size_t start = cell.starts_with('+') ? 1 : 0;
  const std::size_t end = cell.find_first_not_of("-.0123456789e+", start);
  double number = 0;
  if (!ParseDouble(cell.substr(start, end == std::string::npos ? end : end - start), &number)) return false;
  if (end == std::string::npos) return true;
  const std::string unit = Trim(cell.substr(end));
  return detail::Utf8Length(unit) <= kLongestUnit && unit.find_first_of("0123456789 ") == std::string::npos;
}

bool IsPlaceholder(const std::string& cell) { return cell.empty() || cell == "-" || cell == "–" || cell == "n/a"; }

}  // namespace

TablePrinter::TablePrinter(std::vector<std::string> header) : header_(std::move(header)) {}

void TablePrinter::AddRow(std::vector<std::string> cells) {
  if (cells.size() != header_.size()) {
    ThrowInternal(StrCat("a table of ", header_.size(), " columns was given a row of ", cells.size()));
  }
  rows_.push_back(std::move(cells));
}

std::string TablePrinter::ToString(bool color) const {
  const std::size_t columns = header_.size();
  std::vector<std::size_t> widths(columns);
  std::vector<bool> right(columns);
  for (std::size_t c = 0; c < columns; ++c) {
    widths[c] = detail::Utf8Length(header_[c]);
    bool any_number = false;
    bool all_numbers = true;
    for (const auto& row : rows_) {
      widths[c] = std::max(widths[c], detail::Utf8Length(row[c]));
      const bool quantity = IsQuantity(row[c]);
      any_number = any_number || quantity;
      all_numbers = all_numbers && (quantity || IsPlaceholder(row[c]));
    }
    right[c] = any_number && all_numbers;
  }
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string text;
    for (std::size_t c = 0; c < columns; ++c) {
      const std::string padding(widths[c] - detail::Utf8Length(cells[c]), ' ');
      if (c > 0) text += "  ";
      text += right[c] ? padding + cells[c] : cells[c] + padding;
    }
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
  };
  std::vector<std::string> rule(columns);
  for (std::size_t c = 0; c < columns; ++c) rule[c] = std::string(widths[c], '-');
  std::string table = color ? StrCat("\x1b[1m", line(header_), "\x1b[0m\n") : line(header_) + '\n';
  table += line(rule) + '\n';
  for (const auto& row : rows_) table += line(row) + '\n';
  return table;
}

}  // namespace nas
