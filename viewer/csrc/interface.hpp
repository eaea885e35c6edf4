// What every file of the C interface needs. Sizes were checked by the page; pointers are into this
// module's own memory.
#pragma once

// Visible to the page under its own name.
#define EXPORT __attribute__((visibility("default"), used))
