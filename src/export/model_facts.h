// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "nas/export/exporter.h"

namespace nas::detail {

/// What travels in the metadata of every format that has some, all as text: `nas.schema`, `nas.arch` (our JSON form),
/// `nas.weights`, `nas.preprocessing`, and `nas.class_names` where they are known.
std::map<std::string, std::string> ModelFacts(const ExportModel& model);

}  // namespace nas::detail
