// SPDX-License-Identifier: Apache-2.0
#include "svg.h"

#include "assets.h"
#include "markup.h"
#include "nas/core/text.h"

namespace nas::detail {
namespace {

std::string Class(std::string_view classes) { return classes.empty() ? "" : StrCat(" class=\"", classes, "\""); }

/// Ends an element, with a tool tip inside where there is one.
std::string End(std::string_view element, std::string_view tip) {
  return tip.empty() ? "/>" : StrCat("><title>", Escaped(tip), "</title></", element, ">");
}

}  // namespace

std::string Coordinate(double value) {
  std::string text = Fixed(value, 1);
  if (EndsWith(text, ".0")) text.resize(text.size() - 2);
  return text == "-0" ? "0" : text;
}

Svg::Svg(double width, double height, std::string_view title) : width_(width), height_(height), title_(title) {}

void Svg::Line(double x1, double y1, double x2, double y2, std::string_view classes) {
  body_ += StrCat("<line x1=\"", Coordinate(x1), "\" y1=\"", Coordinate(y1), "\" x2=\"", Coordinate(x2), "\" y2=\"",
                  Coordinate(y2), "\"", Class(classes), "/>");
}

void Svg::Rect(double x, double y, double width, double height, double radius, std::string_view classes,
               std::string_view tip) {
  body_ +=
      StrCat("<rect x=\"", Coordinate(x), "\" y=\"", Coordinate(y), "\" width=\"", Coordinate(width), "\" height=\"",
             Coordinate(height), "\"", radius > 0 ? StrCat(" rx=\"", Coordinate(radius), "\"") : std::string(),
             Class(classes), End("rect", tip));
}

void Svg::Circle(double x, double y, double radius, std::string_view classes, std::string_view tip) {
  body_ += StrCat("<circle cx=\"", Coordinate(x), "\" cy=\"", Coordinate(y), "\" r=\"", Coordinate(radius), "\"",
                  Class(classes), End("circle", tip));
}

void Svg::Path(std::string_view d, std::string_view classes, std::string_view tip) {
  body_ += StrCat("<path d=\"", d, "\"", Class(classes), End("path", tip));
}

void Svg::Text(double x, double y, std::string_view anchor, std::string_view text, std::string_view classes) {
  body_ += StrCat("<text x=\"", Coordinate(x), "\" y=\"", Coordinate(y), "\"",
                  anchor == "start" ? std::string() : StrCat(" text-anchor=\"", anchor, "\""), Class(classes), ">",
                  Escaped(text), "</text>");
}

void Svg::VerticalText(double x, double y, std::string_view text, std::string_view classes) {
  body_ += StrCat("<text transform=\"translate(", Coordinate(x), " ", Coordinate(y),
                  ") rotate(-90)\" text-anchor=\"middle\"", Class(classes), ">", Escaped(text), "</text>");
}

void Svg::Open(std::string_view attributes) { body_ += StrCat("<g ", attributes, ">"); }

void Svg::Attribute(std::string_view attribute) { attributes_ += StrCat(" ", attribute); }

void Svg::Close() { body_ += "</g>"; }

std::string Svg::Build(std::string_view extra_root, std::string_view head) const {
  return StrCat("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"fig\" viewBox=\"0 0 ", Coordinate(width_), " ",
                Coordinate(height_), "\" role=\"img\" aria-label=\"", Escaped(title_), "\"", attributes_, extra_root,
                ">", head, body_, "</svg>");
}

std::string Svg::Inline() const { return Build("", ""); }

std::string Svg::StandAlone() const {
  return StrCat("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
                Build(StrCat(" width=\"", Coordinate(width_), "\" height=\"", Coordinate(height_), "\""),
                      StrCat("<style>", TokensCss(), FigureCss(), "</style>",
                             "<rect width=\"100%\" height=\"100%\" class=\"paper\"/>")),
                "\n");
}

}  // namespace nas::detail
