#include "cuse/session/request_opener.h"

#include <fcntl.h>

#include <memory>
#include <utility>

#include "cuse/session/process_vt.h"

namespace cuse {

fbemu::Opener opener_of(fuse_req_t request, const fuse_file_info& file) {
  const fuse_ctx& caller = *::fuse_req_ctx(request);
  const bool writable = (file.flags & O_ACCMODE) != O_RDONLY;
  // A program that only reads is never shown.
  std::shared_ptr<const fbemu::ClientVt> vt;
  if (writable) vt = std::make_shared<ProcessVt>(caller.pid);
  return {writable, std::move(vt), caller.uid};
}

}  // namespace cuse
