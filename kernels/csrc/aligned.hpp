// Memory for vector loads: starts on a cache line, keeps its size from call to call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace vqcodec {

// Invariant: data() holds capacity_ elements on a 64-byte boundary, not initialised.
template <typename T>
class Aligned {
 public:
  // At least count elements; what was there before is lost if the memory has to grow.
  T* reserve(int64_t count) {
    if (count > capacity_) {
      capacity_ = 0;
      memory_.reset(static_cast<T*>(
          ::operator new(static_cast<size_t>(count) * sizeof(T), std::align_val_t{64})));
      capacity_ = count;
    }
    return memory_.get();
  }
  T* data() { return memory_.get(); }
  const T* data() const { return memory_.get(); }

 private:
  struct Free {
    void operator()(T* memory) const { ::operator delete(memory, std::align_val_t{64}); }
  };
  std::unique_ptr<T, Free> memory_;
  int64_t capacity_ = 0;
};

}  // namespace vqcodec
