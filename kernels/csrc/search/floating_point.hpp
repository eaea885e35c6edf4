// The two promises about arithmetic that "exact" rests on.
#pragma once

#if defined(__SSE2__)
#include <immintrin.h>
#endif

// A product and a sum are rounded one after the other unless the source says fma: the definition of
// the nearest code has no fused multiply-add. Every file that settles codes includes this first.
#if defined(__clang__)
#pragma clang fp contract(off)
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#endif

namespace vqcodec {

// Rounds to nearest and keeps subnormal numbers while it lives: the caller's thread may flush them
// to zero, and the integers must not depend on that.
class StandardRounding {
 public:
  StandardRounding() {
#if defined(__SSE2__)
    saved_ = _mm_getcsr();
    _mm_setcsr(0x1F80);
#endif
  }
  ~StandardRounding() {
#if defined(__SSE2__)
    _mm_setcsr(saved_);
#endif
  }
  StandardRounding(const StandardRounding&) = delete;
  StandardRounding& operator=(const StandardRounding&) = delete;

 private:
  unsigned saved_ = 0;
};

}  // namespace vqcodec
