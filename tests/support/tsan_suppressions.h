#pragma once

#include <string_view>

namespace unit {

/// Suppressions of wrong reports about calls that make, use or close descriptors.
///
/// ThreadSanitizer assumes that all threads share one table of descriptors. The threads of a FUSE session
/// have a table of their own (unshare), so it reports calls for the same number in both tables. The calls
/// that only use a descriptor are those that it watches for nothing else. ThreadSanitizer may have lost the
/// stack of the call that made it.
constexpr std::string_view descriptor_suppressions =
    "race:base::Epoll::\n"
    "race:base::EventFd::\n"
    "race_top:interceptor_accept4$\n"
    "race_top:interceptor_close$\n"
    "race_top:interceptor_connect$\n"
    "race_top:interceptor_dup2$\n"
    "race_top:interceptor_epoll_create1$\n"
    "race_top:interceptor_epoll_ctl$\n"
    "race_top:interceptor_epoll_wait$\n"
    "race_top:interceptor_eventfd$\n"
    "race_top:interceptor_fclose$\n"
    "race_top:interceptor_fdopen$\n"
    "race_top:interceptor_fopen$\n"
    "race_top:interceptor_fopen64$\n"
    "race_top:interceptor_inotify_init1$\n"
    "race_top:interceptor_open$\n"
    "race_top:interceptor_open64$\n"
    "race_top:interceptor_openat$\n"
    "race_top:interceptor_openat64$\n"
    "race_top:interceptor_opendir$\n"
    "race_top:interceptor_pipe2$\n"
    "race_top:interceptor_recvmsg$\n"
    "race_top:interceptor_signalfd$\n"
    "race_top:interceptor_socket$\n"
    "race_top:interceptor_socketpair$\n";

}  // namespace unit
