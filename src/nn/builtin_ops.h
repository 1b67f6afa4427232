// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "op_module.h"

namespace nas::detail {

using OpMaker = std::unique_ptr<OpModule> (*)(const Layer& layer, const BatchNormSpec& bn);

/// One kind of layer that can run: its name in the catalogue of `space` and how to make it.
struct BuiltinOpModule {
  std::string_view op;
  OpMaker make = nullptr;
};

/// All of them, in catalogue order.
const std::vector<BuiltinOpModule>& BuiltinOpModules();

std::unique_ptr<OpModule> MakeConv(const Layer& layer, const BatchNormSpec& bn);
std::unique_ptr<OpModule> MakeMbconv(const Layer& layer, const BatchNormSpec& bn);
std::unique_ptr<OpModule> MakeZero(const Layer& layer, const BatchNormSpec& bn);
std::unique_ptr<OpModule> MakeIdentity(const Layer& layer, const BatchNormSpec& bn);
std::unique_ptr<OpModule> MakeLinear(const Layer& layer, const BatchNormSpec& bn);
std::unique_ptr<OpModule> MakeGlobalAvgPool(const Layer& layer, const BatchNormSpec& bn);
std::unique_ptr<OpModule> MakePool(const Layer& layer, const BatchNormSpec& bn);
std::unique_ptr<OpModule> MakeMaxPool(const Layer& layer, const BatchNormSpec& bn);
std::unique_ptr<OpModule> MakeDepthConv(const Layer& layer, const BatchNormSpec& bn);
std::unique_ptr<OpModule> MakeBottleneck(const Layer& layer, const BatchNormSpec& bn);
std::unique_ptr<OpModule> MakeTransition(const Layer& layer, const BatchNormSpec& bn);
std::unique_ptr<OpModule> MakeTreeNode(const Layer& layer, const BatchNormSpec& bn);
std::unique_ptr<OpModule> MakeResidualTree(const Layer& layer, const BatchNormSpec& bn);

}  // namespace nas::detail
