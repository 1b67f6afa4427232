// SPDX-License-Identifier: Apache-2.0
#include <sys/vfs.h>

#include "nas/cluster/results_index.h"
#include "nas/core/text.h"

namespace nas {

FileSystemKind FileSystemOf(const std::filesystem::path& path) {
  std::filesystem::path at = path;
  std::error_code ignored;
  while (!at.empty() && !std::filesystem::exists(at, ignored) && at != at.parent_path()) at = at.parent_path();
  if (at.empty()) at = ".";
  struct statfs facts {};
  if (::statfs(at.c_str(), &facts) != 0) return {"unknown", false};
  // linux/magic.h, and the magic numbers that Lustre, GPFS, BeeGFS and Ceph document.
  switch (static_cast<unsigned long>(facts.f_type) & 0xffffffffUL) {
    case 0x6969:
      return {"nfs", true};
    case 0x0BD00BD0:
      return {"lustre", true};
    case 0x47504653:
      return {"gpfs", true};
    case 0x19830326:
      return {"beegfs", true};
    case 0x00C36400:
      return {"ceph", true};
    case 0xFF534D42:
    case 0xFE534D42:
    case 0x517B:
      return {"cifs", true};
    case 0x01021997:
      return {"9p", true};
    case 0x65735546:
      return {"fuse", true};
    case 0x01021994:
      return {"tmpfs", false};
    case 0x794C7630:
      return {"overlay", false};
    case 0xEF53:
      return {"ext4", false};
    case 0x58465342:
      return {"xfs", false};
    case 0x9123683E:
      return {"btrfs", false};
    case 0x2FC12FC1:
      return {"zfs", false};
    default:
      return {StrCat("type 0x", std::hex, static_cast<unsigned long>(facts.f_type)), false};
  }
}

std::filesystem::path ResultsIndexPath(const std::filesystem::path& cache_dir, const std::filesystem::path& temp_dir) {
  const bool shared = FileSystemOf(cache_dir).shared;
  return (shared ? temp_dir / "nas" : cache_dir) / "results.sqlite";
}

}  // namespace nas
