#pragma once

/// Clang's thread-safety annotations (https://clang.llvm.org/docs/ThreadSafetyAnalysis.html). They name the
/// mutex of a member or function, and the clang build fails if code accesses the member without that mutex.
/// Other compilers ignore them.
#if defined(__clang__)
#define BASE_THREAD_ANNOTATION(attribute) __attribute__((attribute))
#else
#define BASE_THREAD_ANNOTATION(attribute)
#endif

/// Declares a type that threads acquire and release, as in `class BASE_CAPABILITY("mutex") Mutex`.
#define BASE_CAPABILITY(kind) BASE_THREAD_ANNOTATION(capability(kind))
/// Declares a type that acquires a mutex in its constructor and releases it in its destructor.
#define BASE_SCOPED_CAPABILITY BASE_THREAD_ANNOTATION(scoped_lockable)
/// Declares that a member is accessed only while the mutex is held.
#define BASE_GUARDED_BY(mutex) BASE_THREAD_ANNOTATION(guarded_by(mutex))
/// Declares that the object behind a pointer is accessed only while the mutex is held.
#define BASE_PT_GUARDED_BY(mutex) BASE_THREAD_ANNOTATION(pt_guarded_by(mutex))
/// Declares that callers of a function hold the mutexes.
#define BASE_REQUIRES(...) BASE_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
/// Declares that callers of a function do not hold the mutexes, because the function acquires them or calls
/// code that does.
#define BASE_EXCLUDES(...) BASE_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
/// Declares that a function acquires the mutexes; without an argument, the object itself.
#define BASE_ACQUIRE(...) BASE_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
/// Declares that a function releases the mutexes; without an argument, the object itself.
#define BASE_RELEASE(...) BASE_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
/// Declares that a function acquires the mutex if it returns the first argument.
#define BASE_TRY_ACQUIRE(...) BASE_THREAD_ANNOTATION(try_acquire_capability(__VA_ARGS__))
/// Declares that a mutex is acquired before others.
#define BASE_ACQUIRED_BEFORE(...) BASE_THREAD_ANNOTATION(acquired_before(__VA_ARGS__))
/// Excludes a function from the analysis. Say why beside it.
#define BASE_NO_THREAD_SAFETY_ANALYSIS BASE_THREAD_ANNOTATION(no_thread_safety_analysis)
