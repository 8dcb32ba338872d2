// Suppressions of wrong reports by ThreadSanitizer.

/// Suppresses wrong reports.
///
/// libstdc++ counts the owners of an exception without instrumentation. So the thread that releases it last
/// seems to race with the thread that caught it from a std::future.
///
/// ThreadSanitizer knows one table of descriptors in a process. The threads of a FUSE session have another
/// one. The epoll of such a thread often has the number of a file of the main thread.
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
  return "race:std::__exception_ptr::exception_ptr::_M_release\n"
         "race:base::Epoll::Epoll\n"
         "race:base::Epoll::~Epoll\n";
}
