// SPDX-License-Identifier: Apache-2.0
#include "import_rules.h"

#include <algorithm>
#include <cmath>

#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas {
namespace {

void AddOnce(std::vector<std::string>* list, const std::string& value) {
  if (std::find(list->begin(), list->end(), value) == list->end()) list->push_back(value);
}

double ParseOrThrow(const std::string& where, std::string_view field, std::string_view text) {
  double value = 0;
  if (!ParseDouble(text, &value))
    ThrowAt(where, StrCat(field, " \"", text, "\" is not a finite number; give milliseconds"));
  return value;
}

void CheckOne(const std::string& source_name, const char* kind, const std::vector<std::string>& accepted,
              const std::vector<std::string>& seen, const std::string& asked) {
  if (!asked.empty() && !seen.empty() && accepted.empty()) {
    ThrowInput(StrCat(source_name, ": no ", kind, " \"", asked, "\"; the file has: ", Join(seen, ", ")));
  }
  if (accepted.size() > 1) {
    ThrowInput(
        StrCat(source_name, ": several ", kind, "s in one file: ", Join(accepted, ", "), "; choose one with --", kind));
  }
}

}  // namespace

void ThrowAt(const std::string& where, const std::string& what) { ThrowInput(StrCat(where, ": ", what)); }

double CheckLatency(const std::string& where, std::string_view field, double value, double ms_per_unit) {
  const double ms = value * ms_per_unit;
  if (!std::isfinite(ms) || !(ms > 0)) {
    ThrowAt(where, StrCat(field, " ", value, " is not a latency; remove the record or measure it again"));
  }
  return ms;
}

double ImportLatency(const std::string& where, std::string_view field, std::string_view text, double ms_per_unit) {
  return CheckLatency(where, field, ParseOrThrow(where, field, text), ms_per_unit);
}

double ImportDeviation(const std::string& where, std::string_view field, std::string_view text, double ms_per_unit) {
  const double value = ParseOrThrow(where, field, text) * ms_per_unit;
  if (!std::isfinite(value) || value < 0) ThrowAt(where, StrCat(field, " ", text, " is negative; correct the record"));
  return value;
}

double ImportVariance(const std::string& where, std::string_view field, std::string_view text, double ms_per_unit) {
  const double value = ParseOrThrow(where, field, text);
  if (value < 0) ThrowAt(where, StrCat(field, " ", text, " is negative; correct the record"));
  return std::sqrt(value) * ms_per_unit;
}

std::int64_t ImportCount(const std::string& where, std::string_view field, std::string_view text) {
  long long value = 0;
  if (!ParseInt(text, &value) || value < 1) {
    ThrowAt(where, StrCat(field, " \"", text, "\" is not a whole number of at least 1; correct the record"));
  }
  return value;
}

void CheckKnownField(const std::string& where, const std::string& kind, const std::string& name,
                     const std::vector<std::string>& known, const ImportOptions& options) {
  if (std::find(known.begin(), known.end(), name) != known.end()) return;
  const auto& ignored = options.ignore_columns;
  if (std::find(ignored.begin(), ignored.end(), name) != ignored.end()) return;
  ThrowAt(where, StrCat("unknown ", kind, " \"", name, "\"", DidYouMean(name, known), "; skip it with --ignore-column ",
                        name));
}

void CheckImportedKey(const std::string& where, const BlockKey& key) {
  const std::string problem = BlockKeyProblem(key);
  if (!problem.empty()) ThrowAt(where, StrCat(ToString(key), ": ", problem));
}

bool SourceFilter::Accept(const std::string& device, const std::string& runtime) {
  AddOnce(&all_devices_, device);
  AddOnce(&all_runtimes_, runtime);
  if (!options_.device.empty() && options_.device != device) return false;
  if (!options_.runtime.empty() && options_.runtime != runtime) return false;
  AddOnce(&devices_, device);
  AddOnce(&runtimes_, runtime);
  return true;
}

void SourceFilter::Finish(const std::string& source_name, ImportedData* data) const {
  CheckOne(source_name, "device", devices_, all_devices_, options_.device);
  CheckOne(source_name, "runtime", runtimes_, all_runtimes_, options_.runtime);
  if (!devices_.empty()) data->device = devices_[0];
  if (!runtimes_.empty()) data->runtime = runtimes_[0];
}

}  // namespace nas
