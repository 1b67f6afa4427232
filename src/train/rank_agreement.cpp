// SPDX-License-Identifier: Apache-2.0
#include "nas/train/rank_agreement.h"

#include <algorithm>

#include <ATen/ATen.h>

#include <nlohmann/json.hpp>

#include "nas/core/error.h"
#include "nas/core/hash.h"
#include "nas/core/log.h"
#include "nas/core/text.h"

namespace nas {
namespace {

constexpr std::size_t kShortHash = 16;

std::string HashOf(const at::Tensor& tensor) {
  const at::Tensor dense = tensor.detach().cpu().contiguous();
  return Hash128Hex({static_cast<const char*>(dense.const_data_ptr()), dense.nbytes()}).substr(0, kShortHash);
}

/// The first rank whose text is not that of rank 0; 0 = all agree.
std::size_t FirstOther(const std::vector<std::string>& texts) {
  for (std::size_t rank = 1; rank < texts.size(); ++rank) {
    if (texts[rank] != texts[0]) return rank;
  }
  return 0;
}

/// With two ranks nobody is the odd one; with more, the majority is right.
std::size_t Stray(const std::vector<std::string>& texts) {
  for (std::size_t rank = 0; rank < texts.size(); ++rank) {
    if (2 * std::count(texts.begin(), texts.end(), texts[rank]) < static_cast<std::ptrdiff_t>(texts.size()))
      return rank;
  }
  return FirstOther(texts);
}

}  // namespace

void RankAgreement::Note(std::int64_t step, std::string_view kind, std::string_view value) {
  log_.push_back({step, std::string(kind), Hash128Hex(value).substr(0, kShortHash)});
}

void RankAgreement::Check(const std::string& values, const NamedTensorList& tensors) {
  std::string log;
  for (const Noted& noted : log_) log += noted.hash;
  std::string each;
  for (const auto& [name, tensor] : tensors) each += HashOf(tensor);
  const std::string mine = StrCat(Hash128Hex(log), Hash128Hex(values), Hash128Hex(each), host_);
  constexpr std::size_t kHashes = 96;
  std::vector<std::string> all = ranks_.AllGather(mine);
  std::vector<std::string> hosts;
  for (std::string& text : all) {
    hosts.push_back(text.substr(kHashes));
    text.resize(kHashes);
  }
  if (FirstOther(all) == 0) {
    log_.clear();
    return;
  }
  const std::size_t stray = Stray(all);
  const std::string who = StrCat("rank ", stray, " (", hosts[stray], ") left the others at ");
  const auto logs = ranks_.AllGather(log);
  const auto hashes = ranks_.AllGather(each);
  const std::size_t other = stray == 0 ? 1 : 0;
  for (std::size_t i = 0; i < log_.size(); ++i) {
    const auto at = [&](std::size_t rank) { return logs[rank].substr(i * kShortHash, kShortHash); };
    if (at(stray) == at(other)) continue;
    throw Error(ErrorKind::kVerification,
                StrCat(who, "step ", log_[i].step, " (", log_[i].kind,
                       "); nothing was written since the last checkpoint: check that machine's "
                       "memory and processor"));
  }
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const auto at = [&](std::size_t rank) { return hashes[rank].substr(i * kShortHash, kShortHash); };
    if (at(stray) == at(other)) continue;
    throw Error(ErrorKind::kVerification,
                StrCat(who, "tensor ", tensors[i].first,
                       "; nothing was written since the last checkpoint: check that machine's "
                       "memory and processor"));
  }
  throw Error(ErrorKind::kVerification, StrCat(who, "the architecture's parameters"));
}

void CheckHello(Communicator& ranks, const std::string& host, const Json& must, const Json& may) {
  const auto texts = ranks.AllGather(Json{{"host", host}, {"must", must}, {"may", may}}.dump());
  const Json first = Json::parse(texts[0]);
  const auto difference = [&](std::size_t rank, const Json& other, const char* part) -> std::string {
    for (const auto& [key, value] : first.at(part).items()) {
      const Json theirs = other.at(part).value(key, Json());
      if (theirs == value) continue;
      const auto shown = [](const Json& v) { return v.is_string() ? v.get<std::string>() : v.dump(); };
      return StrCat("rank ", rank, " (", other.at("host").get<std::string>(), "): ", key, " ", shown(theirs),
                    " is not the ", shown(value), " of rank 0 (", first.at("host").get<std::string>(), ")");
    }
    return "";
  };
  for (std::size_t rank = 1; rank < texts.size(); ++rank) {
    const Json other = Json::parse(texts[rank]);
    if (const std::string text = difference(rank, other, "must"); !text.empty()) {
      ThrowInput(text + "; start all ranks with the same program, flags and kind of processor");
    }
    if (const std::string text = difference(rank, other, "may"); !text.empty() && ranks.Rank() == 0) LogWarning(text);
  }
}

}  // namespace nas
