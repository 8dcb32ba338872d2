// What ThreadSanitizer reports wrongly.

/// libstdc++ counts the owners of an exception without instrumentation, so the thread that drops the last
/// one seems to race with the thread that caught the exception from a std::future.
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
  return "race:std::__exception_ptr::exception_ptr::_M_release\n";
}
