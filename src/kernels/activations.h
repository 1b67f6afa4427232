// SPDX-License-Identifier: Apache-2.0
// act(t) and act'(t) on vectors, chosen at compile time. Included once by each stages_<set>.cpp.

template <StageActivation kAct>
NAS_INLINE Vec Act(Vec t) {
  if constexpr (kAct == StageActivation::kRelu) return Max(Vec{}, t);
  if constexpr (kAct == StageActivation::kRelu6) return Min(Splat(6), Max(Vec{}, t));
  if constexpr (kAct == StageActivation::kHSwish) {
    return t * Min(Splat(6), Max(Vec{}, t + Splat(3))) * Splat(1.0f / 6);
  }
  return t;
}

// g·act'(t); 0 at the corners of ReLU and ReLU6, as LibTorch has it.
template <StageActivation kAct>
NAS_INLINE Vec ActGradient(Vec g, Vec t) {
  if constexpr (kAct == StageActivation::kRelu) return t > Vec{} ? g : Vec{};
  if constexpr (kAct == StageActivation::kRelu6) {
    const Vec inner = t < Splat(6) ? g : Vec{};
    return t > Vec{} ? inner : Vec{};
  }
  if constexpr (kAct == StageActivation::kHSwish) {
    const Vec middle = t < Splat(3) ? g * (t * Splat(1.0f / 3) + Splat(0.5f)) : g;
    return t > Splat(-3) ? middle : Vec{};
  }
  return g;
}

template <StageActivation kAct>
struct ActConstant {
  static constexpr StageActivation value = kAct;
};

// Calls body(constant of kAct) for a value known at run time only.
template <typename Body>
static inline void WithActivation(StageActivation act, const Body& body) {
  switch (act) {
    case StageActivation::kNone:
      return body(ActConstant<StageActivation::kNone>{});
    case StageActivation::kRelu:
      return body(ActConstant<StageActivation::kRelu>{});
    case StageActivation::kRelu6:
      return body(ActConstant<StageActivation::kRelu6>{});
    case StageActivation::kHSwish:
      return body(ActConstant<StageActivation::kHSwish>{});
  }
}
