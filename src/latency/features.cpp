// SPDX-License-Identifier: Apache-2.0
#include "nas/latency/features.h"

#include <cmath>

#include "nas/core/error.h"
#include "nas/core/text.h"

namespace nas {

const std::vector<std::string>& PhiNames() {
  static const std::vector<std::string> names = {"one",       "mac_expand",  "mac_dw",    "mac_dw_k5",  "mac_dw_k7",
                                                 "mac_dw_s2", "mac_project", "el_exp_in", "el_exp_out", "el_io",
                                                 "weights",   "el_se",       "el_hswish", "el_skip",    "one_se"};
  return names;
}

const std::vector<std::string>& NetFeatureNames() {
  static const std::vector<std::string> names = {"mac_stem", "mac_conv_1"};
  return names;
}

PhiVector Phi(const BlockKey& key, int channel_multiple) {
  const auto round_up = [&](int channels) {
    return static_cast<double>((channels + channel_multiple - 1) / channel_multiple * channel_multiple);
  };
  const double x = HasExpand(key) ? 1 : 0;
  const double in = static_cast<double>(key.h) * key.h / 1e6;
  const double out = static_cast<double>(key.hout) * key.hout / 1e6;
  const double cin = round_up(key.cin);
  const double cout = round_up(key.cout);
  const double mid = round_up(key.mid);
  const double k2 = static_cast<double>(key.k) * key.k;
  const double se = key.se ? 1 : 0;
  const double dw = out * mid * k2;
  PhiVector phi{};
  phi[0] = 1;
  phi[1] = x * in * cin * mid;
  phi[2] = dw;
  phi[3] = key.k == 5 ? dw : 0;
  phi[4] = key.k == 7 ? dw : 0;
  phi[5] = key.s == 2 ? dw : 0;
  phi[6] = out * mid * cout;
  phi[7] = x * in * mid;
  phi[8] = out * mid;
  phi[9] = in * cin + out * cout;
  phi[10] = (x * cin * mid + mid * k2 + mid * cout + se * 2 * mid * SeWidth(key.mid)) / 1e6;
  phi[11] = se * out * mid;
  phi[12] = key.act == BlockAct::kHSwish ? x * in * mid + out * mid : 0;
  phi[13] = key.skip ? out * cout : 0;
  phi[14] = se;
  return phi;
}

ShapeVector Shape(const BlockKey& key) {
  return {std::log(key.h),
          std::log(key.cin),
          std::log(key.cout),
          std::log(key.mid),
          static_cast<double>(key.k),
          static_cast<double>(key.s),
          key.se ? 1.0 : 0.0,
          key.act == BlockAct::kHSwish ? 1.0 : 0.0,
          key.skip ? 1.0 : 0.0};
}

double HeadFeature(const BlockKey& key, std::string_view name) {
  const double in = static_cast<double>(key.h) * key.h * key.cin / 1e6;
  if (name == "one") return 1;
  if (name == "macs") return BlockMacs(key) / 1e6;
  if (name == "weights") return BlockWeights(key) / 1e6;
  // A classifier or conv on a 1x1 map holds no pooling: reading its input is part of the weights' cost.
  if (name == "el_in") return (key.op == BlockOp::kLogits || key.op == BlockOp::kConv2) && key.h == 1 ? 0 : in;
  if (name == "el_io") return in + static_cast<double>(key.hout) * key.hout * key.cout / 1e6;
  ThrowInput(
      StrCat("unknown head feature \"", name, "\"", DidYouMean(name, {"one", "macs", "weights", "el_in", "el_io"})));
}

}  // namespace nas
