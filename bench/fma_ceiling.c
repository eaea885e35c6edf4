// The most multiply-adds one core does: independent chains in registers, no memory at all.
#include <stdlib.h>
#include <time.h>

#define RUNS 51
#define STEPS 200000

typedef float vec __attribute__((vector_size(64)));

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int ascending(const void* a, const void* b) {
  const double x = *(const double*)a, y = *(const double*)b;
  return (x > y) - (x < y);
}

// Floating-point operations per second, median of several runs: on a virtual machine the clock may
// step, so the best of them may be a run that never was.
double fma_ceiling(void) {
  double rates[RUNS];
  for (int run = 0; run < RUNS; ++run) {
    // Starts that the compiler cannot know, or it would merge chains that are equal.
    volatile float unknown = 0.0f;
    vec sums[24];
    for (int j = 0; j < 24; ++j) sums[j] = (vec){0} + (unknown + (float)j);
    const vec a = (vec){0} + (unknown + 0.999f), b = (vec){0} + (unknown + 0.5f);
    const double start = now();
    for (int i = 0; i < STEPS; ++i) {
#pragma GCC unroll 24
      for (int j = 0; j < 24; ++j) sums[j] = sums[j] * a + b;
    }
    for (int j = 1; j < 24; ++j) sums[0] += sums[j];
    volatile vec sink = sums[0];
    (void)sink;
    const double seconds = now() - start;
    rates[run] = (double)STEPS * 24 * 16 * 2 / seconds;
  }
  qsort(rates, RUNS, sizeof rates[0], ascending);
  return rates[RUNS / 2];
}
