// SPDX-License-Identifier: Apache-2.0
#include "assets.h"

// Symbols of assets.S.in.
#define NAS_ASSET(name)                     \
  extern "C" const char nas_asset_##name[]; \
  extern "C" const char nas_asset_##name##_end[]

NAS_ASSET(tokens_css);
NAS_ASSET(figure_css);
NAS_ASSET(page_css);
NAS_ASSET(page_js);
NAS_ASSET(echarts_js);

#undef NAS_ASSET

namespace nas::detail {
namespace {

std::string_view View(const char* begin, const char* end) { return {begin, static_cast<std::size_t>(end - begin)}; }

}  // namespace

std::string_view TokensCss() { return View(nas_asset_tokens_css, nas_asset_tokens_css_end); }
std::string_view FigureCss() { return View(nas_asset_figure_css, nas_asset_figure_css_end); }
std::string_view PageCss() { return View(nas_asset_page_css, nas_asset_page_css_end); }
std::string_view PageJs() { return View(nas_asset_page_js, nas_asset_page_js_end); }
std::string_view EchartsJs() { return View(nas_asset_echarts_js, nas_asset_echarts_js_end); }

}  // namespace nas::detail
