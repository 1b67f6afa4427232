// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

#include "nas/core/json.h"
#include "nas/export/export_formats.h"
#include "nas/nn/network.h"

namespace nas {

/// What a picture goes through before the network sees it; travels with the exported files.
struct ImageSteps {
  int resize_short = 0;         ///< short side after an antialiased bilinear resize, pixels
  int crop = 0;                 ///< side of the centre crop that follows, pixels
  std::array<float, 3> mean{};  ///< R, G, B, of pixels scaled to 0…1
  std::array<float, 3> std{};
};
Json ToJson(const ImageSteps& steps);

/// A network with what a user of its files has to know.
struct ExportModel {
  const Network* network = nullptr;  ///< float32, on the CPU
  ImageSteps image_steps;
  std::vector<std::string> class_names;  ///< one per output; empty = not known
  std::string weights;                   ///< "trained" or "random"
  bool keep_bn = false;                  ///< ONNX only
  bool fp16 = false;                     ///< ONNX only
};

/// What a file is compared with, and by what means.
struct VerifyInputs {
  at::Tensor images;  ///< [N, 3, R, R] float32
  at::Tensor logits;  ///< [N, classes]: the network's own
  std::string python;
};

/// How an exported file compares with the network it was written from.
struct VerifyResult {
  std::string how;  ///< what ran: "ONNX Runtime 1.32.0 (onnx.checker 1.23.2), batches of 1, 7 and 64"
  std::optional<double> max_difference;  ///< of logits; none where no images run
  std::optional<double> tolerance;       ///< largest difference that passes
  std::optional<double> top1_agreement;  ///< share of images, 0…1
  std::string fault;                     ///< "" = verified
  bool ok() const { return fault.empty(); }
};
Json ToJson(const VerifyResult& result);

/// Writes and checks one format.
class Exporter {
 public:
  virtual ~Exporter() = default;
  virtual std::string_view format() const = 0;
  /// Writes the file. Throws kInput where the format cannot express the network or the place cannot be written.
  virtual void Export(const ExportModel& model, const std::filesystem::path& file) const = 0;
  /// Runs or reads back the file. A difference is a result, not an exception. Throws kUnavailable when what runs the
  /// file is not there, naming the remedy.
  virtual VerifyResult Verify(const ExportModel& model, const std::filesystem::path& file,
                              const VerifyInputs& inputs) const = 0;
};

/// One per entry of `ExportFormats`, in that order.
const std::vector<std::unique_ptr<Exporter>>& BuiltinExporters();
/// Throws kUsage with the nearest known name.
const Exporter& FindExporter(std::string_view format);

}  // namespace nas
