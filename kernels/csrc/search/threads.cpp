#include "threads.hpp"

#include <algorithm>
#include <atomic>
#include <system_error>
#include <thread>
#include <vector>

#include "floating_point.hpp"

namespace vqcodec {

int useful_threads(int requested, double multiply_adds) {
  constexpr double kPerThread = 1 << 22;
  const double worth = std::max(1.0, multiply_adds / kPerThread);
  return std::max(1, static_cast<int>(std::min<double>(requested, worth)));
}

void for_each_block(int64_t blocks, int threads, const std::function<void(int64_t, int)>& work) {
  std::atomic<int64_t> next{0};
  const auto run = [&](int worker) {
    const StandardRounding rounding;
    for (int64_t block = next++; block < blocks; block = next++) work(block, worker);
  };
  std::vector<std::thread> started;
  for (int worker = 1; worker < threads && worker < blocks; ++worker) {
    try {
      started.emplace_back(run, worker);
    } catch (const std::system_error&) {
      // The system grants no more threads: those there are do the rest.
      break;
    }
  }
  run(0);
  for (std::thread& thread : started) thread.join();
}

}  // namespace vqcodec
