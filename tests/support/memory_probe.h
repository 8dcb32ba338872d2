#pragma once

#include <sys/uio.h>
#include <unistd.h>

namespace unit {

/// Returns true if this process can read the byte at `address`. Reads it through the kernel, so that a bad
/// address causes no SIGSEGV.
inline bool is_readable(const void* address) {
  char byte = 0;
  const iovec local{&byte, 1};
  const iovec remote{const_cast<void*>(address), 1};
  return ::process_vm_readv(::getpid(), &local, 1, &remote, 1, 0) == 1;
}

}  // namespace unit
