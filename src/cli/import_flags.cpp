// SPDX-License-Identifier: Apache-2.0
#include "import_flags.h"

#include <filesystem>

#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/text.h"

namespace nas::cli {

void ImportFlags::AddTo(FlagSet& flags) {
  std::vector<std::string> formats;
  for (const Importer* importer : BuiltinImporters()) formats.emplace_back(importer->name());
  flags.Group("How foreign files are read");
  flags.Add("--as", &format, "format: " + Join(formats, ", "));
  flags.AddChoice("--class", &device_class, {"cpu", "gpu"}, "what kind of device was measured");
  flags.Add("--device", &device, "take only this device of a file that holds several");
  flags.Add("--runtime", &runtime, "take only this runtime");
  flags.Add("--model", &model, "name of the device; by default what the file says");
  flags.Add("--engine", &engine, "runtime that executed the networks");
  flags.Add("--engine-version", &engine_version, "its version");
  flags.Add("--precision", &precision, "of the arithmetic: fp32, fp16, int8");
  flags.Add("--batch", &batch, "images per forward call; 0: as the file says, else 1");
  flags.AddChoice("--unit", &unit, {"ms", "us", "s"}, "of the latencies");
  flags.Add("--width", &width, "nets-jsonl: width multiplier of network codes");
  flags.Add("--column", &column, "nets-jsonl: field with the latency");
  flags.Add("--resolution", &resolution, "nets-jsonl: input side of lines that do not say");
  flags.AddList("--ignore-column", &ignore_columns, "an unknown column to leave out; repeatable");
}

ImportedData ImportFlags::Read(const std::vector<std::string>& files) const {
  if (format.empty())
    ThrowUsage("--as is missing: name the format of the file (csv, proxyless-yaml, ofa-yaml, nets-jsonl)");
  const Importer& importer = FindImporter(format);
  ImportOptions options;
  options.device = device;
  options.runtime = runtime;
  options.ms_per_unit = MsPerUnit(unit);
  options.ignore_columns = ignore_columns;
  options.width = width;
  options.batch = batch;
  options.column = column;
  options.resolution = resolution;
  ImportedData data;
  for (const std::string& file : files) {
    AppendData(importer.Import(ReadFile(file), std::filesystem::path(file).filename().string(), options), &data);
  }
  return data;
}

DeviceIdentity ImportFlags::Identity(const Session& session) const {
  DeviceIdentity identity;
  identity.device_class = device_class;
  identity.model = model;
  if (identity.is_gpu()) identity.gpu = model;
  identity.engine = engine;
  identity.engine_version = engine_version;
  identity.precision = precision;
  identity.threads = session.threads_given ? session.threads : 0;
  if (batch > 0) identity.batch = batch;
  return identity;
}

void CheckNewFile(const std::string& path, bool force) {
  std::error_code ignored;
  if (!force && std::filesystem::exists(path, ignored)) {
    ThrowInput(StrCat(path, " exists already; choose another --out, or replace it with --force"));
  }
}

}  // namespace nas::cli
