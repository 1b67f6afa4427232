// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nas {

/// `nas export`: which network goes where, in which forms.
struct ExportOptions {
  std::string arch;                          ///< architecture file; or
  std::string weights;                       ///< safetensors of `arch`; "" = random weights
  std::string run;                           ///< run folder, of `search` or `train`
  std::string target;                        ///< target of `run`, where it has several
  std::vector<std::string> formats{"onnx"};  ///< names of `ExportFormats`
  bool keep_bn = false;                      ///< ONNX: BatchNormalization nodes instead of BN folded into the convs
  bool fp16 = false;                         ///< ONNX: weights and arithmetic in half precision, float in and out
  bool verify = false;                       ///< run what was written and compare it with the network
  std::string data;                          ///< demo | DIR | cifar10:DIR; "" = that of `run`, else demo
  int images = 64;                           ///< test images to verify with, 8…10,000
  std::string python;                        ///< interpreter with ONNX Runtime; "" = the project's
  std::string out;                           ///< folder; "" = `export` in the network's folder of a run, else in runs/
  bool force = false;                        ///< replace files of an earlier export
  std::uint64_t seed = 0;                    ///< of random weights, and of the split where the data has no test folder
  int threads = 1;

  /// Throws kUsage naming flag, value and what is legal.
  void Validate() const;
};

/// `nas verify`: what is checked of a passport.
struct VerifyOptions {
  std::string passport;               ///< passport.json, or the folder that holds it
  std::string data;                   ///< data to evaluate on; "" = what the passport names
  bool no_data = false;               ///< leave the accuracy unchecked
  bool time = false;                  ///< measure the latency again, where the passport's device is this machine
  double accuracy_tolerance = 0.005;  ///< largest difference of top-1 that holds, as a share
  double latency_tolerance = 0.1;     ///< largest relative difference of the measured latency that holds
  int threads = 1;

  /// Throws kUsage naming flag, value and what is legal.
  void Validate() const;
};

}  // namespace nas
