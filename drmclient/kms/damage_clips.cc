#include "drmclient/kms/damage_clips.h"

#include "drmclient/card.h"

namespace drmclient {

base::Result<std::vector<Rect>> clamp_damage(std::span<const Rect> damage, Size buffer) {
  if (damage.size() > Card::max_damage_rects) return base::failure(EINVAL);
  std::vector<Rect> inside;
  inside.reserve(damage.size());
  for (const Rect& rect : damage) {
    const Rect clamped = rect.clipped_to(Rect::of(buffer));
    if (!clamped.empty()) inside.push_back(clamped);
  }
  return inside;
}

std::vector<drmModeClip> to_clips(std::span<const Rect> rects) {
  std::vector<drmModeClip> clips;
  clips.reserve(rects.size());
  for (const Rect& rect : rects) {
    clips.push_back({static_cast<uint16_t>(rect.x1), static_cast<uint16_t>(rect.y1),
                     static_cast<uint16_t>(rect.x2), static_cast<uint16_t>(rect.y2)});
  }
  return clips;
}

base::Result<void> mark_dirty(int fd, const DumbBuffer& buffer, std::span<const Rect> damage) {
  std::vector<drmModeClip> clips = to_clips(damage);
  return drm_result(::drmModeDirtyFB(fd, buffer.framebuffer_id(), clips.empty() ? nullptr : clips.data(),
                                     static_cast<uint32_t>(clips.size())));
}

}  // namespace drmclient
