// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include <string>
#include <vector>

#include "chart.h"
#include "nas/core/json.h"
#include "nas/report/report.h"

namespace nas::detail {

/// The growing page: markup, what its script draws from, and the files that can be written beside it.
class Page {
 public:
  Page();
  ~Page();
  Page(const Page&) = delete;
  Page& operator=(const Page&) = delete;

  /// Prefix of ids and file names from now on: "" for one run, "<run>-" where there are several.
  void set_prefix(const std::string& prefix) { prefix_ = prefix; }
  std::string Id(const std::string& name) const { return prefix_ + name; }

  void Add(const std::string& html) { html_ += html; }
  /// A chart with caption, interactive and static drawing, table and downloads; nothing when it is empty.
  void AddChart(Chart chart);
  /// A figure drawn by `svg_html`, with an optional table below and its CSV.
  void AddFigure(const std::string& name, const std::string& title, const std::string& reading,
                 const std::string& svg_html, const std::string& table, const std::string& csv);
  /// A file that has no place of its own in the page.
  void AddFile(const std::string& name, const std::string& content);
  /// Numbers of a heat map for the page's script.
  void AddHeat(const std::string& id, const Json& heat);

  /// The whole document. `title` is plain text.
  std::string Document(const std::string& title) const;
  const std::vector<ReportFile>& files() const { return files_; }

 private:
  std::string prefix_;
  std::string html_;
  std::unique_ptr<Json> data_;
  std::vector<ReportFile> files_;
};

}  // namespace nas::detail
