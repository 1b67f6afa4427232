// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace nas {

struct CsvRecord {
  int line = 1;  ///< where it begins
  std::vector<std::string> fields;
};

/// Records of RFC 4180 text: quoted fields with doubled quotes and line breaks inside, LF or CRLF. Empty lines are
/// skipped. Throws kInput `source:line: …` on a stray quote, or "ends inside record N" on an open one at the end.
std::vector<CsvRecord> ReadCsv(const std::string& text, const std::string& source_name);

/// A field, quoted where it has to be.
std::string CsvField(const std::string& value);

}  // namespace nas
