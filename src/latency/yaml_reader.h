// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace nas {

struct YamlField {
  std::string key;
  std::string value;
  int line = 1;
};

/// One entry of the outer map.
struct YamlEntry {
  std::string key;
  int line = 1;
  std::vector<YamlField> fields;
  const YamlField* Find(const std::string& field) const;
};

/// A map of maps of scalars, in block or flow style, with comments and quotes; nothing else of YAML.
/// Throws kInput `source:line: …` on anything else, on repeated keys, and "ends inside record N" when the text is cut
/// off.
std::vector<YamlEntry> ReadYamlMaps(const std::string& text, const std::string& source_name);

}  // namespace nas
