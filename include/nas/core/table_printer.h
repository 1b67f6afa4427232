// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace nas {

/// Short aligned tables for people. Columns of numbers are right-aligned; widths count UTF-8 characters.
class TablePrinter {
 public:
  explicit TablePrinter(std::vector<std::string> header);
  void AddRow(std::vector<std::string> cells);
  /// The table with a rule under the header, two blanks between columns, a newline at the end.
  std::string ToString(bool color = false) const;

 private:
  std::vector<std::string> header_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace nas
