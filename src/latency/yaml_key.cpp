// SPDX-License-Identifier: Apache-2.0
#include "yaml_key.h"

#include <cmath>
#include <vector>

#include "import_rules.h"
#include "nas/core/text.h"

namespace nas {
namespace {

constexpr double kMostRatio = 12;
constexpr const char* kProxylessForm = "TYPE-input:HxWxC-output:HxWxC[-expand:RATIO-kernel:K-stride:S-idskip:B]";
constexpr const char* kOfaForm = "TYPE-input:HxWxC-output:HxWxC[-expand:MID-kernel:K-stride:S-idskip:B-se:B-hs:B]";

/// The parts of one key, taken from the front.
class KeyScanner {
 public:
  KeyScanner(const std::string& text, YamlGrammar grammar, const std::string& where)
      : text_(text), rest_(text), form_(grammar == YamlGrammar::kOfa ? kOfaForm : kProxylessForm), where_(where) {}

  [[noreturn]] void Fail(const std::string& what) const {
    ThrowAt(where_, StrCat("key \"", text_, "\": ", what, "; expected ", form_));
  }

  std::string Type() {
    const size_t end = rest_.find("-input:");
    if (end == std::string::npos) Fail("no \"-input:\"");
    const std::string type = rest_.substr(0, end);
    rest_ = rest_.substr(end);
    return type;
  }

  /// The text behind `-name:` up to the next part.
  std::string Part(const std::string& name) {
    const std::string tag = "-" + name + ":";
    if (!StartsWith(rest_, tag)) Fail(StrCat("no \"", tag, "\" at \"", rest_.substr(0, 24), "\""));
    const size_t end = rest_.find('-', tag.size());
    const std::string value = rest_.substr(tag.size(), end == std::string::npos ? end : end - tag.size());
    rest_ = end == std::string::npos ? "" : rest_.substr(end);
    return value;
  }

  int Whole(const std::string& name, int most) {
    const std::string text = Part(name);
    return Number(name, text, most);
  }

  int Number(const std::string& name, const std::string& text, int most) const {
    long long value = 0;
    if (!ParseInt(text, &value) || value < 0 || value > most) {
      Fail(StrCat(name, " \"", text, "\" is not a whole number from 0 to ", most));
    }
    return static_cast<int>(value);
  }

  /// `HxWxC` with H = W.
  void Map(const std::string& name, int* side, int* channels) {
    const std::vector<std::string> parts = Split(Part(name), 'x');
    if (parts.size() != 3) Fail(StrCat(name, " is not HxWxC"));
    *side = Number(name, parts[0], 1 << 14);
    const int width = Number(name, parts[1], 1 << 14);
    if (*side != width) Fail(StrCat(name, " ", *side, "x", width, " is not square: only square maps are supported"));
    *channels = Number(name, parts[2], 1 << 20);
  }

  bool AtEnd() const { return rest_.empty(); }
  const std::string& rest() const { return rest_; }

 private:
  const std::string& text_;
  std::string rest_;
  const char* form_;
  const std::string& where_;
};

/// Middle channels from the expand field, in the meaning of the grammar.
int MiddleChannels(KeyScanner& scanner, YamlGrammar grammar, int cin) {
  const std::string text = scanner.Part("expand");
  double value = 0;
  if (!ParseDouble(text, &value) || !(value > 0) || value > 1 << 20)
    scanner.Fail(StrCat("expand \"", text, "\" is not a number above 0"));
  if (grammar == YamlGrammar::kProxyless) {
    if (value > kMostRatio) {
      scanner.Fail(StrCat("expand ", text,
                          " is no ratio (above 12): a table with absolute channel counts is read by --as ofa-yaml"));
    }
    return static_cast<int>(std::lround(cin * value));
  }
  if (value < cin) {
    scanner.Fail(StrCat("expand ", text, " is below the ", cin,
                        " input channels: a table with ratios is read by --as proxyless-yaml"));
  }
  return scanner.Number("expand", text, 1 << 20);
}

BlockKey ParseExpandedConv(KeyScanner& scanner, YamlGrammar grammar) {
  BlockKey key;
  scanner.Map("input", &key.h, &key.cin);
  scanner.Map("output", &key.hout, &key.cout);
  key.mid = MiddleChannels(scanner, grammar, key.cin);
  key.k = scanner.Whole("kernel", 31);
  key.s = scanner.Whole("stride", 4);
  key.skip = scanner.Whole("idskip", 1) == 1;
  key.act = BlockAct::kRelu6;
  const bool has_se = StartsWith(scanner.rest(), "-se:");
  if (grammar == YamlGrammar::kProxyless && has_se) {
    scanner.Fail("\"-se:\" belongs to the other format: use --as ofa-yaml, and one file per format");
  }
  if (grammar == YamlGrammar::kOfa) {
    if (!has_se)
      scanner.Fail("no \"-se:\": this is the other format, use --as proxyless-yaml, and one file per format");
    key.se = scanner.Whole("se", 1) == 1;
    key.act = scanner.Whole("hs", 1) == 1 ? BlockAct::kHSwish : BlockAct::kRelu;
  }
  return key;
}

BlockKey ParseHead(KeyScanner& scanner, BlockOp op) {
  BlockKey key;
  key.op = op;
  scanner.Map("input", &key.h, &key.cin);
  if (op == BlockOp::kLogits) {
    key.hout = 1;
    key.cout = scanner.Whole("output", 1 << 20);
  } else {
    scanner.Map("output", &key.hout, &key.cout);
  }
  return key;
}

}  // namespace

BlockKey ParseYamlKey(const std::string& text, YamlGrammar grammar, const std::string& where) {
  KeyScanner scanner(text, grammar, where);
  const std::string type = scanner.Type();
  const bool ofa = grammar == YamlGrammar::kOfa;
  std::vector<std::string> types = {"Conv", "Conv_1", "Logits", "expanded_conv"};
  if (ofa) types.insert(types.end(), {"Conv_2", "AvgPool2D"});
  BlockKey key;
  if (type == "expanded_conv") {
    key = ParseExpandedConv(scanner, grammar);
  } else if (type == "Conv") {
    key = ParseHead(scanner, BlockOp::kConv);
  } else if (type == "Conv_1") {
    key = ParseHead(scanner, BlockOp::kConv1);
  } else if (type == "Logits") {
    key = ParseHead(scanner, BlockOp::kLogits);
  } else if (ofa && type == "Conv_2") {
    key = ParseHead(scanner, BlockOp::kConv2);
  } else if (ofa && type == "AvgPool2D") {
    key = ParseHead(scanner, BlockOp::kAvgPool);
  } else {
    scanner.Fail(StrCat("unknown type \"", type, "\"", DidYouMean(type, types)));
  }
  if (!scanner.AtEnd()) scanner.Fail(StrCat("\"", scanner.rest(), "\" at the end"));
  const std::string problem = BlockKeyProblem(key);
  if (!problem.empty()) scanner.Fail(problem);
  return key;
}

}  // namespace nas
