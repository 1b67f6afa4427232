// SPDX-License-Identifier: Apache-2.0
#include "onnx_runner.h"

#include <cstring>

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/files.h"
#include "nas/core/json.h"
#include "nas/core/subprocess.h"
#include "nas/core/text.h"

namespace nas::detail {
namespace {

constexpr double kDeadline = 600;  // s
constexpr int kMissing = 3;        // exit code of the script: a package is not there
constexpr int kRefused = 4;        // the checker or the runtime refused the model

constexpr char kScript[] = R"(import json, sys
model, images, side, logits = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
try:
    import numpy, onnxruntime
except ImportError as e:
    print(e, file=sys.stderr); sys.exit(3)
try:
    import onnx
except ImportError:
    onnx = None
try:
    if onnx: onnx.checker.check_model(onnx.load(model), full_check=True)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    x = numpy.fromfile(images, numpy.float32).reshape(-1, 3, side, side)
    run = lambda part: session.run(["logits"], {"images": part})[0]
    y = run(x)
    apart = 0.0
    for size in (1, 7):
        part = numpy.concatenate([run(x[i:i + size]) for i in range(0, min(7, len(x)), size)])[:7]
        apart = max(apart, float(numpy.abs(part - y[:len(part)]).max()))
    y.astype(numpy.float32).tofile(logits)
except Exception as e:
    print(str(e).strip().split("\n")[0], file=sys.stderr); sys.exit(4)
print(json.dumps({"runtime": onnxruntime.__version__, "checker": onnx.__version__ if onnx else None,
                  "shape": list(y.shape), "apart": apart}))
)";

[[noreturn]] void ThrowNoRuntime(const std::string& python, const std::string& why) {
  throw Error(ErrorKind::kUnavailable,
              StrCat("ONNX files are verified by ONNX Runtime, which ", python, " does not offer (", why,
                     "); run scripts/setup --tests, or give --python an interpreter after `pip install onnxruntime`"));
}

void WriteFloats(const std::filesystem::path& path, const at::Tensor& tensor) {
  const at::Tensor plain = tensor.to(at::kFloat).contiguous();
  WriteFileAtomic(path, {static_cast<const char*>(plain.data_ptr()), plain.nbytes()});
}

at::Tensor ReadFloats(const std::filesystem::path& path, const std::vector<std::int64_t>& shape) {
  const std::string bytes = ReadFile(path);
  at::Tensor tensor = at::empty(shape, at::kFloat);
  if (bytes.size() != tensor.nbytes()) {
    ThrowInternal(StrCat("ONNX Runtime returned ", bytes.size(), " bytes, not ", tensor.nbytes()));
  }
  std::memcpy(tensor.data_ptr(), bytes.data(), bytes.size());
  return tensor;
}

}  // namespace

OnnxRun RunOnnx(const std::filesystem::path& model, const at::Tensor& images, const std::string& python) {
  const TempDir dir;
  const std::filesystem::path input = dir.path() / "images.f32";
  const std::filesystem::path output = dir.path() / "logits.f32";
  WriteFloats(input, images);
  SubprocessOptions options;
  options.argv = {python, "-c", kScript, model.string(), input.string(), StrCat(images.size(2)), output.string()};
  options.deadline_s = kDeadline;
  const SubprocessResult result = RunSubprocess(options);
  const std::vector<std::string> lines = Split(Trim(result.err), '\n');
  if (result.exit_code == 127) ThrowNoRuntime(python, "there is no such program");
  if (result.exit_code == kMissing) ThrowNoRuntime(python, lines.back());
  OnnxRun run;
  if (result.timed_out) {
    run.fault = StrCat("ONNX Runtime did not finish within ", kDeadline, " s");
  } else if (result.exit_code == kRefused) {
    run.fault = StrCat("ONNX Runtime refuses it: ", lines.back());
  } else if (result.exit_code != 0) {
    ThrowNoRuntime(python, StrCat("exit code ", result.exit_code, ": ", lines.back()));
  }
  if (!run.fault.empty()) return run;
  const Json facts = Json::parse(result.out, nullptr, /*allow_exceptions=*/false);
  if (!facts.is_object()) ThrowNoRuntime(python, "it printed no figures");
  run.logits = ReadFloats(output, facts.at("shape").get<std::vector<std::int64_t>>());
  run.batch_difference = facts.at("apart").get<double>();
  run.how = StrCat(
      "ONNX Runtime ", facts.at("runtime").get<std::string>(),
      facts.at("checker").is_null() ? std::string() : StrCat(", onnx.checker ", facts.at("checker").get<std::string>()),
      ", batches of 1, 7 and ", images.size(0));
  return run;
}

}  // namespace nas::detail
