// What takes the place of C++'s exceptions, which this target lacks: a throw ends in the page.

#include <cstddef>
#include <cstdlib>
#include <exception>

// Throws in the page with this reason and does not come back: the instance is then given up.
extern "C" [[noreturn]] __attribute__((import_module("page"), import_name("refuse"))) void refuse(
    const char* reason);

namespace {
// Where an exception is made while there is no memory left.
alignas(16) char spare[1024];
}  // namespace

extern "C" {

void* __cxa_allocate_exception(std::size_t size) noexcept {
  void* memory = std::malloc(size);
  return memory != nullptr ? memory : spare;
}

void __cxa_free_exception(void*) noexcept {}

// Whatever the project's own code and the library throw derives from std::exception alone.
[[noreturn]] void __cxa_throw(void* thrown, void*, void (*)(void*)) {
  refuse(static_cast<std::exception*>(thrown)->what());
}

}  // extern "C"
