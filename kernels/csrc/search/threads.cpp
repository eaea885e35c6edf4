#include "threads.hpp"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>

#include "floating_point.hpp"

namespace vqcodec {

namespace {

// One call of for_each_block; lives on its caller's stack.
struct Job {
  Job(int64_t blocks, const std::function<void(int64_t, int)>& work) : blocks(blocks), work(work) {}

  void run(int worker) {
    const StandardRounding rounding;
    for (int64_t block = next++; block < blocks; block = next++) work(block, worker);
  }

  const int64_t blocks;
  const std::function<void(int64_t, int)>& work;
  std::atomic<int64_t> next{0};
  // Threads that are to help and have not come yet, that have come, and that have not left again;
  // the pool's lock guards all three.
  int wanted = 0;
  int joined = 0;
  int inside = 0;
};

// Threads that wait for jobs from call to call. Never destroyed, so that a process may end while
// they wait.
class Pool {
 public:
  // The pool of this process: threads do not survive a fork, so the child has one of its own.
  static Pool& instance() {
    static std::once_flag once;
    std::call_once(once, [] {
      current_ = new Pool;
      pthread_atfork(nullptr, nullptr, [] { current_ = new Pool; });
    });
    return *current_;
  }

  // Lets up to `helpers` threads run the job beside the caller.
  void offer(Job& job, int helpers) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      job.wanted = helpers;
      wanted_ += helpers;
      jobs_.push_back(&job);
      start_threads();
    }
    for (int i = 0; i < helpers; ++i) arrived_.notify_one();
  }

  // Waits for those that came, and no longer for those that did not.
  void withdraw(Job& job) {
    std::unique_lock<std::mutex> lock(mutex_);
    if (job.wanted > 0) {
      wanted_ -= job.wanted;
      jobs_.erase(std::find(jobs_.begin(), jobs_.end(), &job));
    }
    left_.wait(lock, [&] { return job.inside == 0; });
  }

 private:
  void start_threads() {
    for (; idle_ < wanted_; ++idle_) {
      try {
        std::thread(&Pool::serve, this).detach();
      } catch (const std::system_error&) {
        // The system grants no more threads: those there are do the rest.
        return;
      }
    }
  }

  void serve() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      arrived_.wait(lock, [&] { return !jobs_.empty(); });
      Job& job = *jobs_.front();
      --wanted_;
      --idle_;
      if (--job.wanted == 0) jobs_.pop_front();
      const int worker = ++job.joined;
      ++job.inside;
      lock.unlock();
      job.run(worker);
      lock.lock();
      ++idle_;
      if (--job.inside == 0) left_.notify_all();
    }
  }

  static Pool* current_;

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::condition_variable left_;
  std::deque<Job*> jobs_;  // that want helpers
  int wanted_ = 0;         // by all of them
  int idle_ = 0;           // threads without a job
};

Pool* Pool::current_ = nullptr;

}  // namespace

int useful_threads(int requested, double multiply_adds) {
  constexpr double kPerThread = 1 << 22;
  const double worth = std::max(1.0, multiply_adds / kPerThread);
  return std::max(1, static_cast<int>(std::min<double>(requested, worth)));
}

void for_each_block(int64_t blocks, int threads, const std::function<void(int64_t, int)>& work) {
  Job job(blocks, work);
  const int helpers = static_cast<int>(std::min<int64_t>(threads, blocks)) - 1;
  if (helpers <= 0) return job.run(0);
  Pool& pool = Pool::instance();
  pool.offer(job, helpers);
  job.run(0);
  pool.withdraw(job);
}

}  // namespace vqcodec
