#include "drmclient/kms_card.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "drmclient/capture.h"
#include "drmclient/damage_clips.h"
#include "drmclient/kernel_console.h"
#include "drmclient/saved_crtc.h"

namespace drmclient {
namespace {

using std::chrono::steady_clock;

constexpr uint32_t smallest_side = 8;  // fb_set_var() refuses less

/// DIRTYFB has coordinates of 16 bits, and so have modes.
constexpr uint32_t largest_side = 65'535;

Rect part_shown(const Mode& mode, Point origin) {
  return {static_cast<int32_t>(origin.x), static_cast<int32_t>(origin.y),
          static_cast<int32_t>(origin.x + mode.hdisplay), static_cast<int32_t>(origin.y + mode.vdisplay)};
}

/// Drivers that do not mark their card as unplugged say anything but ENODEV of one that is gone (qxl:
/// EINVAL).
bool is_gone(const DrmDevice& device) {
  return ::access(device.path().c_str(), F_OK) != 0 && errno == ENOENT;
}

}  // namespace

/// An output with a mode, and what it shows. The buffer outlives it, and the buffer keeps the device open.
struct KmsCard::LitOutput {
  LitOutput(KmsPipe with_pipe, OutputId output, const DrmDevice& device)
      : pipe(std::move(with_pipe)),
        before(SavedCrtc::read(device, pipe.crtc_id)),
        commit(KmsCommit::make(device, pipe)),
        vblank(output) {}

  KmsPipe pipe;
  std::optional<SavedCrtc> before;
  std::unique_ptr<KmsCommit> commit;
  VblankSource vblank;
  Mode mode;
  DumbBuffer* front = nullptr;
  Point origin;
  Power power = Power::on;
};

KmsCard::KmsCard(KmsOptions options)
    : options_(std::move(options)), epoll_(::epoll_create1(EPOLL_CLOEXEC)), monitor_(options_.path) {
  if (!epoll_) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  const DrmDevice device(options_.path, options_.interface);
  const DrmModeResources resources(::drmModeGetResources(device.fd()));
  if (!resources) {
    throw std::system_error(errno, std::generic_category(),
                            "the card " + options_.path + " (" + device.driver() +
                                ") has no display outputs; choose another one with --card");
  }
  info_ = {device.driver(), options_.path, {resources->max_width, resources->max_height}, true};
  watch(monitor_.descriptor());
}

KmsCard::~KmsCard() = default;

std::unique_ptr<Card> open_kms_card(const KmsOptions& options) {
  return std::make_unique<KmsCard>(options);
}

void KmsCard::watch(int descriptor) const {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = descriptor;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event) != 0) {
    throw std::system_error(errno, std::generic_category(), "epoll_ctl");
  }
}

Result<std::shared_ptr<const DrmDevice>> KmsCard::open_device() {
  if (auto device = device_.lock()) return device;
  try {
    auto device = std::make_shared<const DrmDevice>(options_.path, options_.interface);
    // Another card may have got the number of one that is gone.
    if (device->driver() != info_.driver) return failure(ENODEV);
    watch(device->fd());
    device_ = device;
    return device;
  } catch (const std::system_error& error) {
    const int code = error.code().value();
    return failure(code == ENOENT || code == ENXIO ? ENODEV : code);
  }
}

Result<std::vector<Output>> KmsCard::probe() {
  const auto device = open_device();
  if (!device) return tl::make_unexpected(device.error());
  auto connectors = read_connectors(**device);
  if (!connectors) return tl::make_unexpected(connectors.error());
  std::vector<Output> outputs;
  for (KmsConnector& connector : *connectors) {
    Output& output = connector.output;
    if (options_.format) {
      const bool there = std::ranges::find(output.formats, *options_.format) != output.formats.end();
      output.formats.clear();
      if (there) output.formats.push_back(*options_.format);
    }
    outputs.push_back(std::move(output));
  }
  return outputs;
}

Result<std::unique_ptr<ScanoutBuffer>> KmsCard::create_buffer(Size size, PixelFormat format) {
  if (size.width < smallest_side || size.height < smallest_side || size.width > largest_side ||
      size.height > largest_side || bytes_per_pixel(format) == 0 ||
      (options_.format && format != *options_.format)) {
    return failure(EINVAL);
  }
  const auto device = open_device();
  if (!device) return tl::make_unexpected(device.error());
  auto buffer = DumbBuffer::create(*device, size, format, options_.mapping);
  if (!buffer) return tl::make_unexpected(buffer.error());
  return std::unique_ptr<ScanoutBuffer>(std::move(*buffer));
}

Result<DumbBuffer*> KmsCard::own_buffer(ScanoutBuffer& buffer, const Mode& mode, Point origin) const {
  auto* own = dynamic_cast<DumbBuffer*>(&buffer);
  if (own == nullptr || &own->device() != device_.lock().get()) return failure(EINVAL);
  if (uint64_t{origin.x} + mode.hdisplay > buffer.size().width ||
      uint64_t{origin.y} + mode.vdisplay > buffer.size().height) {
    return failure(EINVAL);
  }
  return own;
}

KmsCard::LitOutput* KmsCard::find_lit(OutputId output) const {
  const auto found = lit_.find(output);
  return found == lit_.end() ? nullptr : found->second.get();
}

Result<std::unique_ptr<KmsCard::LitOutput>> KmsCard::make_lit(const DrmDevice& device,
                                                              OutputId output) const {
  auto connectors = read_connectors(device);
  if (!connectors) return tl::make_unexpected(connectors.error());
  for (KmsConnector& connector : *connectors) {
    if (connector.output.id != output) continue;
    if (!connector.pipe) return failure(EBUSY);  // other outputs have all the CRTCs
    try {
      auto lit = std::make_unique<LitOutput>(std::move(*connector.pipe), output, device);
      watch(lit->vblank.timer_descriptor());
      return lit;
    } catch (const std::system_error& error) {
      return failure(error.code().value());
    }
  }
  return failure(ENOENT);
}

Result<void> KmsCard::check_mode(OutputId output, const Mode& mode, ScanoutBuffer& buffer) {
  const auto own = own_buffer(buffer, mode, {});
  if (!own) return tl::make_unexpected(own.error());
  const auto lit = make_lit((*own)->device(), output);
  if (!lit) return tl::make_unexpected(lit.error());
  const auto master = DrmMaster::take((*own)->device());
  if (!master) return tl::make_unexpected(master.error());
  return (*lit)->commit->test_mode((*lit)->pipe, mode, **own);
}

Result<void> KmsCard::set_mode(OutputId output, const Mode& mode, ScanoutBuffer& buffer, Point origin) {
  const auto own = own_buffer(buffer, mode, origin);
  if (!own) return tl::make_unexpected(own.error());
  LitOutput* lit = find_lit(output);
  std::unique_ptr<LitOutput> made;
  if (lit == nullptr) {
    auto making = make_lit((*own)->device(), output);
    if (!making) return tl::make_unexpected(making.error());
    made = std::move(*making);
    lit = made.get();
  }
  if (const auto set = light(*lit, mode, **own, origin); !set) return set;
  if (made) lit_[output] = std::move(made);
  return {};
}

Result<void> KmsCard::light(LitOutput& lit, const Mode& mode, DumbBuffer& buffer, Point origin) {
  const auto master = DrmMaster::take(buffer.device());
  if (!master) return tl::make_unexpected(master.error());
  if (const auto set = lit.commit->set_mode(lit.pipe, mode, buffer, origin); !set) return set;
  lit.mode = mode;
  lit.front = &buffer;
  lit.origin = origin;
  lit.power = Power::on;
  lit.vblank.start(mode);
  // Most drivers upload the whole buffer at a mode set; vmwgfx's legacy unit waits to be told.
  return tell_dirty(master->fd(), buffer, {});
}

Result<bool> KmsCard::still_shown(const LitOutput& lit) {
  const DrmModeCrtc crtc(::drmModeGetCrtc(lit.front->device().fd(), lit.pipe.crtc_id));
  if (!crtc && (errno == ENODEV || is_gone(lit.front->device()))) return failure(ENODEV);
  // Where the kernel does not tell for another reason, it is left at that.
  return !crtc || (crtc->mode_valid != 0 && crtc->buffer_id == lit.front->framebuffer_id());
}

bool KmsCard::shows(OutputId output) {
  const LitOutput* lit = find_lit(output);
  if (lit == nullptr || lit->power != Power::on) return true;
  const auto shown = still_shown(*lit);
  return shown && *shown;
}

Result<void> KmsCard::present(OutputId output, ScanoutBuffer& buffer, Point origin,
                              std::span<const Rect> damage) {
  LitOutput* lit = find_lit(output);
  if (lit == nullptr) return failure(EINVAL);
  const auto own = own_buffer(buffer, lit->mode, origin);
  if (!own) return tl::make_unexpected(own.error());
  const auto clamped = clamp_damage(damage, buffer.size());
  if (!clamped) return tl::make_unexpected(clamped.error());

  // Another master may have set a mode of its own meanwhile, or turned the CRTC off at its end.
  const auto shown = still_shown(*lit);
  if (!shown) return tl::make_unexpected(shown.error());
  if (!*shown) {
    const auto again = light(*lit, lit->mode, **own, origin);
    return !again && is_gone((*own)->device()) ? failure(ENODEV) : again;
  }
  const bool flip = *own != lit->front || origin != lit->origin;
  if (!flip && clamped->empty()) return {};
  const auto begin = steady_clock::now();
  if (const auto flushed = flush(*lit, **own, origin, *clamped); !flushed) {
    return is_gone((*own)->device()) ? failure(ENODEV) : flushed;
  }
  lit->vblank.presented(begin, steady_clock::now());
  lit->front = *own;
  lit->origin = origin;
  return {};
}

Result<void> KmsCard::flush(LitOutput& lit, DumbBuffer& buffer, Point origin, std::span<const Rect> damage) {
  const bool flip = &buffer != lit.front || origin != lit.origin;
  const bool clips = lit.commit->interface() == DrmDevice::Interface::atomic && lit.pipe.has_damage_clips();
  if (!flip && !clips && dirty_unneeded_) return {};
  const auto master =
      flip || clips ? DrmMaster::take(buffer.device()) : DrmMaster::take_quietly(buffer.device());
  if (!master) return tl::make_unexpected(master.error());
  if (flip || clips) {
    if (const auto shown = lit.commit->show(lit.pipe, lit.mode, buffer, origin, damage); !shown) return shown;
  }
  return clips || damage.empty() ? Result<void>{} : tell_dirty(master->fd(), buffer, damage);
}

Result<void> KmsCard::tell_dirty(int fd, const DumbBuffer& buffer, std::span<const Rect> damage) {
  if (dirty_unneeded_) return {};
  const auto told = mark_dirty(fd, buffer, damage);
  if (told || told.error().value() != ENOSYS) return told;
  dirty_unneeded_ = true;
  return {};
}

bool KmsCard::release(OutputId output) {
  const LitOutput* lit = find_lit(output);
  if (lit == nullptr) return false;
  // Of a card that is gone nothing can be kept: as long as its node is open, it keeps its number, and the
  // next one to be plugged in would get another.
  const bool gone = !still_shown(*lit) || is_gone(lit->front->device());
  if (!gone && !has_framebuffer_console()) return false;
  learned_[output] = {lit->commit->interface(), lit->pipe.has_damage_clips(), lit->front->mapping_kind(),
                      lit->vblank.kind()};
  // Where this fails, the end of the last buffer closes the card, and the kernel restores its console.
  if (const auto master = DrmMaster::take_quietly(lit->front->device()); master && lit->before) {
    static_cast<void>(lit->before->restore(master->fd()));
  }
  lit_.erase(output);
  return true;
}

Result<void> KmsCard::set_gamma(OutputId output, std::span<const GammaEntry> table) {
  LitOutput* lit = find_lit(output);
  if (lit == nullptr || table.empty() || table.size() != lit->pipe.gamma_entries()) return failure(EINVAL);
  const auto master = DrmMaster::take(lit->front->device());
  if (!master) return tl::make_unexpected(master.error());
  return lit->commit->set_gamma(lit->pipe, table);
}

Result<void> KmsCard::set_power(OutputId output, Power power) {
  LitOutput* lit = find_lit(output);
  if (lit == nullptr) return failure(EINVAL);
  const auto master = DrmMaster::take(lit->front->device());
  if (!master) return tl::make_unexpected(master.error());
  if (const auto set = lit->commit->set_power(lit->pipe, power); !set) return set;
  lit->power = power;
  return {};
}

Result<void> KmsCard::request_vblank(OutputId output) {
  LitOutput* lit = find_lit(output);
  if (lit == nullptr) return failure(EINVAL);
  return lit->vblank.request(lit->front->device(), lit->pipe, lit->power == Power::on);
}

Result<std::vector<Event>> KmsCard::read_events() {
  std::vector<Event> events;
  if (monitor_.read()) events.emplace_back(HotplugEvent{});
  for (const auto& [output, lit] : lit_) {
    if (const auto vblank = lit->vblank.read_timer(output)) events.emplace_back(*vblank);
  }
  const auto device = device_.lock();
  if (!device) return events;
  // The kernel gives whole events only.
  constexpr size_t room_for_events = 4096;
  alignas(uint64_t) std::array<std::byte, room_for_events> bytes{};
  while (true) {
    const ssize_t size = ::read(device->fd(), bytes.data(), bytes.size());
    if (size <= 0) break;
    for (const DrmVblank& vblank : parse_drm_events(std::span(bytes).first(static_cast<size_t>(size)))) {
      const auto output = static_cast<OutputId>(vblank.user_data);
      LitOutput* lit = find_lit(output);
      const auto event = lit == nullptr ? std::nullopt : lit->vblank.take(vblank, output);
      if (event) events.emplace_back(*event);
    }
  }
  return events;
}

Result<Capture> KmsCard::capture(OutputId output) {
  const LitOutput* lit = find_lit(output);
  if (lit == nullptr) return failure(EINVAL);
  if (lit->power != Power::on)
    return Capture{lit->mode.size(), std::vector<uint32_t>(lit->mode.size().area())};
  return capture_buffer(*lit->front, part_shown(lit->mode, lit->origin));
}

CardPaths KmsCard::paths(OutputId output) const {
  Learned learned;
  if (const LitOutput* lit = find_lit(output); lit != nullptr) {
    learned = {lit->commit->interface(), lit->pipe.has_damage_clips(), lit->front->mapping_kind(),
               lit->vblank.kind()};
  } else if (const auto before = learned_.find(output); before != learned_.end()) {
    learned = before->second;
  } else {
    return {"unknown", "unknown", "unknown", "unknown"};
  }
  const bool atomic = learned.interface == DrmDevice::Interface::atomic;
  CardPaths paths;
  paths.commit = atomic ? "atomic" : "legacy";
  paths.flush = atomic && learned.damage_clips ? "atomic clips" : dirty_unneeded_ ? "none" : "legacy dirty";
  paths.mapping = learned.mapping == MappingKind::dma_buf ? "dma-buf" : "MAP_DUMB";
  constexpr std::array<std::string_view, 3> sources{"CRTC_QUEUE_SEQUENCE", "WAIT_VBLANK", "timer"};
  paths.vblank = sources.at(static_cast<size_t>(learned.vblank));
  return paths;
}

}  // namespace drmclient
