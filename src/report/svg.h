// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace nas::detail {

/// Builds one SVG figure. Colours are CSS classes (assets/figure.css), so that a figure follows the page into dark mode
/// and onto paper; `StandAlone` adds the rules for a file of its own.
class Svg {
 public:
  /// `title` is what a screen reader says.
  Svg(double width, double height, std::string_view title);

  void Line(double x1, double y1, double x2, double y2, std::string_view classes);
  void Rect(double x, double y, double width, double height, double radius, std::string_view classes,
            std::string_view tip = "");
  void Circle(double x, double y, double radius, std::string_view classes, std::string_view tip = "");
  void Path(std::string_view d, std::string_view classes, std::string_view tip = "");
  /// `anchor`: start, middle or end.
  void Text(double x, double y, std::string_view anchor, std::string_view text, std::string_view classes = "");
  void VerticalText(double x, double y, std::string_view text, std::string_view classes = "");
  void Open(std::string_view attributes);  ///< a group; `Close` ends it
  void Close();
  /// Raw attributes on the root, e.g. `data-heat="…"`.
  void Attribute(std::string_view attribute);

  double width() const { return width_; }
  double height() const { return height_; }
  void set_height(double height) { height_ = height; }
  std::string Inline() const;      ///< for the page
  std::string StandAlone() const;  ///< a file, with its own colours for light and dark

 private:
  std::string Build(std::string_view extra_root, std::string_view head) const;
  double width_, height_;
  std::string title_;
  std::string attributes_;
  std::string body_;
};

/// One decimal, without a trailing zero: coordinates.
std::string Coordinate(double value);

}  // namespace nas::detail
