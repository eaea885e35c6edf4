// The most multiply-adds one core does: independent chains in registers, no memory at all.
#include <time.h>

typedef float vec __attribute__((vector_size(64)));

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// Floating-point operations per second, best of several short runs.
double fma_ceiling(void) {
  double best = 0;
  for (int run = 0; run < 100; ++run) {
    vec sums[24] = {{0}};
    const vec a = sums[0] + 1.0001f, b = sums[0] + 0.5f;
    const double start = now();
    for (int i = 0; i < 20000; ++i) {
#pragma GCC unroll 24
      for (int j = 0; j < 24; ++j) sums[j] = sums[j] * a + b;
    }
    const double seconds = now() - start;
    for (int j = 1; j < 24; ++j) sums[0] += sums[j];
    volatile float sink = sums[0][0];
    (void)sink;
    const double rate = 20000.0 * 24 * 16 * 2 / seconds;
    if (rate > best) best = rate;
  }
  return best;
}
