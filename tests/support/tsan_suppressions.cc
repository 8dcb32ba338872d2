// Suppressions of wrong reports by ThreadSanitizer.

/// Suppresses a wrong report: libstdc++ counts the owners of an exception without instrumentation. So the
/// thread that releases it last seems to race with the thread that caught it from a std::future.
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
  return "race:std::__exception_ptr::exception_ptr::_M_release\n";
}
