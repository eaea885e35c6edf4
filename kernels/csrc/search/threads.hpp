// Blocks of work shared out to threads.
#pragma once

#include <cstdint>
#include <functional>

namespace vqcodec {

// Threads worth waking for so many multiply-adds: one costs as much to wake as it does in some tens
// of microseconds.
int useful_threads(int requested, double multiply_adds);

// Calls work(block, worker) once for every block in [0, blocks), in any order, on up to `threads`
// threads, the caller's among them; worker is in [0, threads). The others wait for the next call
// when they are done; a process may fork at any time, and its child starts its own. Work must not
// throw.
void for_each_block(int64_t blocks, int threads, const std::function<void(int64_t, int)>& work);

}  // namespace vqcodec
