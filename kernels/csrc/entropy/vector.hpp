// Functions compiled more than once, for wider vector units where the processor has them.
//
// Only integer arithmetic that cannot overflow may stand in them: it gives the same result in any
// order, so every copy is exact.

#ifndef VQCODEC_ENTROPY_VECTOR_HPP_
#define VQCODEC_ENTROPY_VECTOR_HPP_

// Sanitizers cannot run the resolvers that choose a copy, and other compilers lack them.
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(VQCODEC_ONE_COPY)
#define VQCODEC_VECTOR_CLONES __attribute__((target_clones("avx2", "default")))
#define VQCODEC_VECTOR_PATHS
#else
#define VQCODEC_VECTOR_CLONES
#endif

#endif  // VQCODEC_ENTROPY_VECTOR_HPP_
