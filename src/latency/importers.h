// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nas/latency/importer.h"

namespace nas {

const Importer& CsvBlocksImporter();
const Importer& ProxylessYamlImporter();
const Importer& OfaYamlImporter();
const Importer& NetsJsonlImporter();

}  // namespace nas
