// SPDX-License-Identifier: Apache-2.0
#include "nas/space/block_key.h"

#include <algorithm>

#include "nas/core/error.h"
#include "nas/core/text.h"
#include "nas/space/layer.h"

namespace nas {
namespace {

constexpr int kMostSide = 1 << 14;
constexpr int kMostChannels = 1 << 20;
constexpr const char* kForm =
    "op:h,cin,hout,cout,mid,k,s,skip,se,act, for example mbconv:56,24,28,40,144,5,2,0,0,relu6";

[[noreturn]] void Malformed(std::string_view text, const std::string& what) {
  ThrowInput(StrCat("block key \"", text, "\": ", what, "; expected ", kForm));
}

/// Fields that only mbconv (and the stride of conv1x1) have must be 0 elsewhere.
std::string FieldsOfOthers(const BlockKey& key) {
  if (key.mid != 0 || key.k != 0 || key.skip || key.se) return "mid, k, skip and se must be 0";
  if (key.op != BlockOp::kConv1x1 && key.s != 0) return "s must be 0";
  if (key.act != BlockAct::kNone) return "act must be -";
  return "";
}

std::string MbconvProblem(const BlockKey& key) {
  if (key.mid < 1 || key.mid > kMostChannels) return StrCat("mid ", key.mid, " is not a channel count");
  if (key.k < 1 || key.k > 31 || key.k % 2 == 0) return StrCat("k ", key.k, " is not an odd kernel size from 1 to 31");
  if (key.s < 1 || key.s > 4) return StrCat("s ", key.s, " is not a stride from 1 to 4");
  if (key.act == BlockAct::kNone) return "act - is not the activation of an mbconv (relu, relu6, hswish)";
  const int expected = (key.h - 1) / key.s + 1;
  if (key.hout != expected) {
    return StrCat("hout ", key.hout, " does not follow from h ", key.h, " and s ", key.s, " (expected ", expected, ")");
  }
  if (key.skip && (key.s != 1 || key.cin != key.cout)) return "skip 1 needs s = 1 and cin = cout";
  return "";
}

}  // namespace

std::string_view ToString(BlockOp op) {
  switch (op) {
    case BlockOp::kAvgPool:
      return "avgpool2d";
    case BlockOp::kConv:
      return "conv";
    case BlockOp::kConv1:
      return "conv_1";
    case BlockOp::kConv2:
      return "conv_2";
    case BlockOp::kConv1x1:
      return "conv1x1";
    case BlockOp::kLogits:
      return "logits";
    case BlockOp::kMbconv:
      return "mbconv";
  }
  return "";
}

const std::vector<BlockOp>& AllBlockOps() {
  static const std::vector<BlockOp> ops = {BlockOp::kAvgPool, BlockOp::kConv,   BlockOp::kConv1, BlockOp::kConv2,
                                           BlockOp::kConv1x1, BlockOp::kLogits, BlockOp::kMbconv};
  return ops;
}

BlockOp ParseBlockOp(std::string_view word) {
  std::vector<std::string> names;
  for (BlockOp op : AllBlockOps()) {
    if (word == ToString(op)) return op;
    names.emplace_back(ToString(op));
  }
  ThrowInput(StrCat("unknown block op \"", word, "\"", DidYouMean(word, names)));
}

std::string_view ToString(BlockAct act) {
  switch (act) {
    case BlockAct::kNone:
      return "-";
    case BlockAct::kRelu:
      return "relu";
    case BlockAct::kRelu6:
      return "relu6";
    case BlockAct::kHSwish:
      return "hswish";
  }
  return "";
}

BlockAct ParseBlockAct(std::string_view word) {
  if (word == "-") return BlockAct::kNone;
  if (word == "relu") return BlockAct::kRelu;
  if (word == "relu6") return BlockAct::kRelu6;
  if (word == "hswish" || word == "hs" || word == "h_swish" || word == "hard_swish") return BlockAct::kHSwish;
  ThrowInput(StrCat("unknown activation \"", word, "\"", DidYouMean(word, {"-", "relu", "relu6", "hswish"})));
}

std::string_view ActClass(BlockAct act) { return ToString(act == BlockAct::kRelu6 ? BlockAct::kRelu : act); }

std::string ToString(const BlockKey& key) {
  return StrCat(ToString(key.op), ":", key.h, ",", key.cin, ",", key.hout, ",", key.cout, ",", key.mid, ",", key.k, ",",
                key.s, ",", key.skip ? 1 : 0, ",", key.se ? 1 : 0, ",", ToString(key.act));
}

BlockKey ParseBlockKey(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) Malformed(text, "no op before a colon");
  BlockKey key;
  key.op = ParseBlockOp(text.substr(0, colon));
  const std::vector<std::string> fields = Split(text.substr(colon + 1), ',');
  if (fields.size() != 10) Malformed(text, StrCat(fields.size(), " fields instead of 10"));
  long long number[9];
  for (int i = 0; i < 9; ++i) {
    if (!ParseInt(fields[i], &number[i]) || number[i] < 0 || number[i] > kMostChannels || (i >= 7 && number[i] > 1)) {
      static const char* const kNames[] = {"h", "cin", "hout", "cout", "mid", "k", "s", "skip", "se"};
      Malformed(text,
                StrCat(kNames[i], " is \"", fields[i], "\", not ", i >= 7 ? "0 or 1" : "a whole number in range"));
    }
  }
  key.h = static_cast<int>(number[0]);
  key.cin = static_cast<int>(number[1]);
  key.hout = static_cast<int>(number[2]);
  key.cout = static_cast<int>(number[3]);
  key.mid = static_cast<int>(number[4]);
  key.k = static_cast<int>(number[5]);
  key.s = static_cast<int>(number[6]);
  key.skip = number[7] != 0;
  key.se = number[8] != 0;
  key.act = ParseBlockAct(fields[9]);
  const std::string problem = BlockKeyProblem(key);
  if (!problem.empty()) Malformed(text, problem);
  return key;
}

std::string BlockKeyProblem(const BlockKey& key) {
  if (key.h < 1 || key.h > kMostSide) return StrCat("h ", key.h, " is not a map side from 1 to ", kMostSide);
  if (key.hout < 1 || key.hout > kMostSide)
    return StrCat("hout ", key.hout, " is not a map side from 1 to ", kMostSide);
  if (key.cin < 1 || key.cin > kMostChannels) return StrCat("cin ", key.cin, " is not a channel count");
  if (key.cout < 1 || key.cout > kMostChannels) return StrCat("cout ", key.cout, " is not a channel count");
  if (key.op == BlockOp::kMbconv) return MbconvProblem(key);
  std::string problem = FieldsOfOthers(key);
  if (!problem.empty()) return problem;
  const std::string shape = StrCat("hout ", key.hout, " with h ", key.h);
  switch (key.op) {
    case BlockOp::kConv:
      if (key.hout != key.h && key.hout != (key.h + 1) / 2) return shape + " is neither stride 1 nor stride 2";
      break;
    case BlockOp::kConv1:
      if (key.hout != key.h) return shape + ": a 1x1 conv before the pooling keeps the side";
      break;
    case BlockOp::kConv2:
      if (key.h != 1 || key.hout != 1) return shape + ": a 1x1 conv after the pooling has h = hout = 1";
      break;
    case BlockOp::kAvgPool:
      if (key.hout != 1) return shape + ": global pooling gives hout = 1";
      if (key.cin != key.cout) return StrCat("cin ", key.cin, " and cout ", key.cout, " differ in a pooling");
      break;
    case BlockOp::kLogits:
      if (key.hout != 1) return shape + ": a classifier gives hout = 1";
      break;
    case BlockOp::kConv1x1: {
      if (key.s < 1 || key.s > 4) return StrCat("s ", key.s, " is not a stride from 1 to 4");
      const int expected = (key.h - 1) / key.s + 1;
      if (key.hout != expected) return StrCat(shape, " and s ", key.s, " (expected ", expected, ")");
      break;
    }
    case BlockOp::kMbconv:
      break;
  }
  return "";
}

int SeWidth(int mid) { return MakeDivisible(mid / 4, 8); }

bool HasExpand(const BlockKey& key) { return key.op == BlockOp::kMbconv && key.mid != key.cin; }

double BlockMacs(const BlockKey& key) {
  const double in = static_cast<double>(key.h) * key.h;
  const double out = static_cast<double>(key.hout) * key.hout;
  switch (key.op) {
    case BlockOp::kConv:
      return out * 9 * key.cin * key.cout;
    case BlockOp::kConv1:
    case BlockOp::kConv1x1:
      return out * key.cin * key.cout;
    case BlockOp::kConv2:
    case BlockOp::kLogits:
      return static_cast<double>(key.cin) * key.cout;
    case BlockOp::kAvgPool:
      return 0;
    case BlockOp::kMbconv:
      return (HasExpand(key) ? in * key.cin * key.mid : 0) + out * key.mid * key.k * key.k + out * key.mid * key.cout +
             (key.se ? 2.0 * key.mid * SeWidth(key.mid) : 0);
  }
  return 0;
}

double BlockWeights(const BlockKey& key) {
  switch (key.op) {
    case BlockOp::kConv:
      return 9.0 * key.cin * key.cout;
    case BlockOp::kConv1:
    case BlockOp::kConv2:
    case BlockOp::kConv1x1:
    case BlockOp::kLogits:
      return static_cast<double>(key.cin) * key.cout;
    case BlockOp::kAvgPool:
      return 0;
    case BlockOp::kMbconv:
      return (HasExpand(key) ? static_cast<double>(key.cin) * key.mid : 0) +
             static_cast<double>(key.mid) * key.k * key.k + static_cast<double>(key.mid) * key.cout +
             (key.se ? 2.0 * key.mid * SeWidth(key.mid) : 0);
  }
  return 0;
}

int BlockLaunches(const BlockKey& key) {
  if (key.op == BlockOp::kMbconv) return (HasExpand(key) ? 3 : 2) + (key.se ? 4 : 0);
  return key.op == BlockOp::kLogits && key.h > 1 ? 2 : 1;
}

}  // namespace nas
