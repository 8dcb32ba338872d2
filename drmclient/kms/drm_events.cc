#include "drmclient/kms/drm_events.h"

#include <xf86drm.h>

#include <bit>
#include <cstddef>

namespace drmclient {
namespace {

using std::chrono::microseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

/// The destination of the events during drmHandleEvent(), which passes nothing but `user_data` to its
/// handlers.
thread_local DrmEvents* received = nullptr;

/// Maximum number of events of one drmHandleEvent(), which reads 1024 bytes.
constexpr size_t most_events_per_call = 1024 / sizeof(drm_event_vblank);

uint64_t as_number(void* user_data) {
  return std::bit_cast<uintptr_t>(user_data);
}

void add_vblank(int, unsigned sequence, unsigned tv_sec, unsigned tv_usec, void* user_data) {
  const auto since_boot = seconds(tv_sec) + microseconds(tv_usec);
  received->vblanks.push_back({as_number(user_data), sequence, steady_clock::time_point(since_boot)});
}

void add_flip(int, unsigned, unsigned, unsigned, void* user_data) {
  received->flips.push_back(as_number(user_data));
}

void add_sequence(int, uint64_t sequence, uint64_t time_ns, uint64_t user_data) {
  received->vblanks.push_back({user_data, sequence, steady_clock::time_point(nanoseconds(time_ns))});
}

}  // namespace

DrmEvents read_drm_events(int fd) {
  drmEventContext handlers{};
  handlers.version = 4;  // the first one with sequence_handler
  handlers.vblank_handler = add_vblank;
  handlers.page_flip_handler = add_flip;
  handlers.sequence_handler = add_sequence;
  DrmEvents events;
  received = &events;
  size_t before = 0;
  size_t now = 0;
  do {
    before = now;
    // The handlers must not throw through libdrm's C functions, so they do not allocate.
    events.vblanks.reserve(events.vblanks.size() + most_events_per_call);
    events.flips.reserve(events.flips.size() + most_events_per_call);
    if (::drmHandleEvent(fd, &handlers) != 0) break;
    now = events.vblanks.size() + events.flips.size();
  } while (now != before);
  received = nullptr;
  return events;
}

}  // namespace drmclient
