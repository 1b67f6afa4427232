// SPDX-License-Identifier: Apache-2.0
#include "nas/train/autocast.h"

#include <torch/torch.h>

#include <ATen/autocast_mode.h>

namespace nas {

AutocastScope::AutocastScope(const at::Device& device, bool bf16) : type_(device.type()), on_(bf16) {
  if (!on_) return;
  before_ = at::autocast::is_autocast_enabled(type_);
  type_before_ = at::autocast::get_autocast_dtype(type_);
  at::autocast::set_autocast_enabled(type_, true);
  at::autocast::set_autocast_dtype(type_, at::kBFloat16);
  at::autocast::increment_nesting();
}

AutocastScope::~AutocastScope() {
  if (!on_) return;
  // The cache holds the casts of parameters, which the optimizer is about to change.
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(type_, before_);
  at::autocast::set_autocast_dtype(type_, type_before_);
}

}  // namespace nas
