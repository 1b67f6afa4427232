// SPDX-License-Identifier: Apache-2.0
#include "folder_listing.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <system_error>

#include "folder_store.h"
#include "nas/core/error.h"
#include "nas/core/hash.h"
#include "nas/core/text.h"
#include "pack_store.h"

namespace nas::detail {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 5> kEndings = {".jpg", ".jpeg", ".jpe", ".jfif", ".png"};
/// Where several are there the first is used: what is called "test" is what a final accuracy is told on.
constexpr std::array<std::string_view, 4> kTestFolders = {"test", "valid", "val", "validation"};
constexpr int kDeepest = 4;  // folders below a class folder; ends loops of links

bool Hidden(const std::string& name) { return StartsWith(name, ".") || name == "__MACOSX"; }

bool HasImageEnding(const std::string& name) {
  const std::string lower = ToLower(name);
  return std::any_of(kEndings.begin(), kEndings.end(), [&](std::string_view e) { return EndsWith(lower, e); });
}

std::vector<fs::directory_entry> SortedEntries(const fs::path& folder) {
  std::vector<fs::directory_entry> entries;
  std::error_code error;
  fs::directory_iterator at(folder, error);
  for (; !error && at != fs::directory_iterator(); at.increment(error)) {
    if (!Hidden(at->path().filename().string())) entries.push_back(*at);
  }
  if (error)
    ThrowInput(StrCat("cannot read the folder ", folder.string(), " (", error.message(), "); check its rights"));
  std::sort(entries.begin(), entries.end());
  return entries;
}

bool IsFolder(const fs::directory_entry& entry) {
  std::error_code error;
  return entry.is_directory(error);
}

std::vector<std::string> Subfolders(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : SortedEntries(folder)) {
    if (IsFolder(entry)) names.push_back(entry.path().filename().string());
  }
  return names;
}

struct Others {
  std::int64_t count = 0;
  std::string first;
};

void AddImages(const fs::path& folder, const std::string& prefix, int label, int depth, std::vector<ListedFile>* files,
               Others* others) {
  for (const auto& entry : SortedEntries(folder)) {
    const std::string name = entry.path().filename().string();
    if (IsFolder(entry)) {
      if (depth < kDeepest) AddImages(entry.path(), prefix + name + "/", label, depth + 1, files, others);
    } else if (HasImageEnding(name)) {
      std::error_code error;
      const auto bytes = entry.file_size(error);
      files->push_back({prefix + name, label, error ? -1 : static_cast<std::int64_t>(bytes), -1});
    } else if (others->count++ == 0) {
      others->first = name;
    }
  }
}

/// Images of each class folder below root/split. Folders without images become problems.
std::vector<ListedFile> ListSplit(const fs::path& root, const std::string& split,
                                  const std::vector<std::string>& folders, const std::vector<std::string>& classes,
                                  std::vector<std::string>* problems) {
  std::vector<ListedFile> files;
  for (const std::string& name : folders) {
    const auto at = std::lower_bound(classes.begin(), classes.end(), name);
    if (at == classes.end() || *at != name) continue;
    const fs::path folder = split.empty() ? root / name : root / split / name;
    const std::string prefix = split.empty() ? name + "/" : split + "/" + name + "/";
    const std::size_t before = files.size();
    Others others;
    AddImages(folder, prefix, static_cast<int>(at - classes.begin()), 0, &files, &others);
    if (files.size() > before) continue;
    const std::string what =
        others.count > 0 ? StrCat(" (it holds ", others.count, " other files, such as ", others.first, ")") : "";
    problems->push_back(
        StrCat("class folder ", folder.string(), " has no JPEG or PNG image", what, "; add images or remove it"));
  }
  return files;
}

std::string ListingHash(const FolderListing& listing) {
  std::string text = Join(listing.classes, "\n") + "\n";
  for (const auto* split : {&listing.train, &listing.test}) {
    for (const ListedFile& file : *split) text += StrCat(file.name, "\t", file.bytes, "\n");
  }
  return Hash128Hex(text);
}

bool IsSplitName(const std::string& name) {
  return name == "train" || std::find(kTestFolders.begin(), kTestFolders.end(), name) != kTestFolders.end();
}

/// True where DIR/train is a split and not a class of that name: it has folders of its own.
bool HasTrainSplit(const fs::path& root, const std::vector<std::string>& folders) {
  return std::find(folders.begin(), folders.end(), "train") != folders.end() && !Subfolders(root / "train").empty();
}

std::string ChooseTestFolder(const fs::path& root, const std::vector<std::string>& folders,
                             std::vector<std::string>* notes) {
  std::string chosen;
  for (const std::string_view candidate : kTestFolders) {
    const std::string name(candidate);
    if (std::find(folders.begin(), folders.end(), name) == folders.end() || Subfolders(root / name).empty()) continue;
    if (chosen.empty()) {
      chosen = name;
    } else {
      notes->push_back(StrCat("the test set is ", chosen, "/; ", name, "/ is not used"));
    }
  }
  return chosen;
}

void MatchTestClasses(const std::vector<std::string>& test_classes, FolderListing* listing) {
  std::vector<std::string> missing;
  std::set_difference(listing->classes.begin(), listing->classes.end(), test_classes.begin(), test_classes.end(),
                      std::back_inserter(missing));
  if (!missing.empty()) {
    listing->notes.push_back(StrCat(listing->test_folder, "/ has no folder for ", missing.size(), " of ",
                                    listing->classes.size(), " classes (", missing.front(),
                                    missing.size() > 1 ? ", …)" : ")"));
  }
  std::vector<std::string> unknown;
  std::set_difference(test_classes.begin(), test_classes.end(), listing->classes.begin(), listing->classes.end(),
                      std::back_inserter(unknown));
  if (!unknown.empty()) {
    listing->problems.push_back(StrCat("class folder ",
                                       (listing->root / listing->test_folder / unknown.front()).string(),
                                       " has no counterpart in train/; rename or remove it"));
  }
}

}  // namespace

FolderListing ListFolder(const std::string& path) {
  FolderListing listing;
  listing.root = path;
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    const bool file = fs::exists(path, error);
    ThrowInput(StrCat(file ? "not a folder: " : "no folder ", path,
                      file ? "; unpack it and give a folder of class folders, cifar10:DIR or demo"
                           : "; give a folder of class folders, cifar10:DIR or demo"));
  }
  if (IsPack(path)) return OpenPack(path);
  listing.store = std::make_shared<FolderStore>(path);
  const std::vector<std::string> folders = Subfolders(listing.root);
  const bool splits = HasTrainSplit(listing.root, folders);
  if (!splits && !folders.empty() && std::all_of(folders.begin(), folders.end(), IsSplitName)) {
    ThrowInput(StrCat(path, " has ", Join(folders, "/, "), "/, but no train/ with one folder per class",
                      "; give a folder that holds train/<class>/* or <class>/*"));
  }
  const std::string train = splits ? "train" : "";
  listing.classes = splits ? Subfolders(listing.root / train) : folders;
  if (listing.classes.size() < 2) {
    ThrowInput(StrCat(path, " has ", listing.classes.empty() ? "no class folder" : "one class folder only",
                      listing.classes.empty() ? "" : " ('" + listing.classes.front() + "')",
                      "; give a folder of at least two class folders, cifar10:DIR or demo"));
  }
  listing.train = ListSplit(listing.root, train, listing.classes, listing.classes, &listing.problems);
  if (splits) listing.test_folder = ChooseTestFolder(listing.root, folders, &listing.notes);
  if (!listing.test_folder.empty()) {
    const std::vector<std::string> test_classes = Subfolders(listing.root / listing.test_folder);
    MatchTestClasses(test_classes, &listing);
    listing.test = ListSplit(listing.root, listing.test_folder, test_classes, listing.classes, &listing.problems);
  }
  listing.hash = ListingHash(listing);
  return listing;
}

}  // namespace nas::detail
