#pragma once

#include <sys/uio.h>
#include <unistd.h>

namespace unit {

/// Whether this process could read the byte at `address`; asks the kernel, so that a bad address does no
/// harm.
inline bool is_readable(const void* address) {
  char byte = 0;
  const iovec local{&byte, 1};
  const iovec remote{const_cast<void*>(address), 1};
  return ::process_vm_readv(::getpid(), &local, 1, &remote, 1, 0) == 1;
}

}  // namespace unit
