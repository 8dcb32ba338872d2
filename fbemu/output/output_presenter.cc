#include "fbemu/output/output_presenter.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

namespace fbemu {
namespace {

using base::Result;
using drmclient::PixelFormat;
using drmclient::Power;
using drmclient::Rect;
using drmclient::taken_by_other;

/// Two clients that hold DRM master for the length of a call meet now and then; that is no news.
constexpr std::chrono::milliseconds patience_with_others{250};

/// The formats to try: those of most bits first, since a program may ask for more of them while the mode
/// stays; among those the program's own (no conversion), then the driver's order. A driver may refuse the
/// first: cirrus has not enough bits in its pitch.
std::vector<PixelFormat> formats_to_try(const drmclient::Output& output,
                                        const ProgramFormat& program_format) {
  const std::optional<PixelFormat> same = scanout_equivalent(program_format);
  if (output.formats.empty()) return {same.value_or(PixelFormat::xrgb8888)};
  std::vector<PixelFormat> formats = output.formats;
  std::ranges::stable_sort(formats, std::greater<>(), [&](PixelFormat format) {
    return 2 * drmclient::bytes_per_pixel(format) + (format == same ? 1 : 0);
  });
  return formats;
}

/// Whether the errno speaks of the moment, and not of what was asked for.
bool may_pass(const std::error_code& error) {
  return error.value() == EBUSY || error.value() == EACCES || error.value() == EPERM ||
         error.value() == ENODEV;
}

/// For people to read.
std::string cause_of(const std::error_code& error) {
  if (taken_by_other(error)) return "another program has the screen (" + error.message() + ")";
  // Of several outputs not all may have a CRTC (Card::set_mode()).
  if (error.value() == ENOSPC) return "the card has no CRTC or no memory left for it";
  return error.message();
}

}  // namespace

Screen::Screen(drmclient::Card& card, drmclient::Output output, const Shadow& shadow, Statistics& statistics,
               std::optional<drmclient::Mode> any_mode, Role role, const base::Clock& clock)
    : card_(card),
      output_(std::move(output)),
      shadow_(shadow),
      statistics_(statistics),
      clock_(clock),
      monitor_modes_(output_.modes),
      any_mode_(std::move(any_mode)),
      role_(role),
      other_monitor_(role == Role::follows) {}

/// `wanted` in a mode that the output has. Programs choose from the modes of the first monitor; another one
/// shows the picture as large as Scene::scaling says.
Scene Screen::fitted(const Scene& wanted) const {
  Scene scene = wanted;
  if (!other_monitor_) return scene;
  const auto same_size =
      drmclient::choose_listed_mode(monitor_modes_, wanted.mode.size(), wanted.mode.refresh_millihertz());
  scene.mode = wanted.mode == any_mode_ || !same_size ? monitor_modes_.front() : *same_size;
  return scene;
}

/// Changes nothing if it throws.
void Screen::take_over(const Scene& wanted) {
  Scene scene = fitted(wanted);
  Scene kept = wanted;
  wanted_ = std::move(kept);
  scene_ = std::move(scene);
}

std::string Screen::name() const {
  const drmclient::CardInfo& info = card_.info();
  return "output " + output_.name + " of the card " +
         (info.path.empty() ? info.driver : info.path + " (" + info.driver + ")");
}

Result<void> Screen::check(const Scene& wanted) {
  const Scene scene = fitted(wanted);
  Result<void> first_error;
  for (const PixelFormat format : formats_to_try(output_, scene.layout.format)) {
    const auto buffer = card_.create_buffer(scene.mode.size(), format);
    const auto checked = buffer ? card_.check_mode(output_.id, scene.mode, **buffer)
                                : Result<void>(tl::make_unexpected(buffer.error()));
    // Another master does not let us ask; that is no refusal.
    if (checked || (may_pass(checked.error()) && checked.error().value() != ENODEV)) return {};
    if (first_error) first_error = checked;
  }
  return first_error;
}

Result<void> Screen::light(const Scene& wanted) {
  Result<void> first_error;
  Scene kept = wanted;
  for (const PixelFormat format : formats_to_try(output_, wanted.layout.format)) {
    const auto lit = light_with(fitted(wanted), format);
    if (lit) {
      wanted_ = std::move(kept);
      return lit;
    }
    if (first_error) first_error = lit;
    if (may_pass(lit.error())) break;
  }
  return first_error;
}

Result<void> Screen::light_with(Scene scene, PixelFormat format) {
  auto made = card_.create_buffer(scene.mode.size(), format);
  if (!made) return tl::make_unexpected(made.error());
  Buffer buffer{std::move(*made), {}};
  const auto uploaded = upload_all_to(buffer, scene);
  if (!uploaded) return tl::make_unexpected(uploaded.error());
  if (const auto set = card_.set_mode(output_.id, scene.mode, *buffer.memory, {}); !set) {
    if (!lit_ && card_.info().shared && taken_by_other(set.error())) front_ = std::move(buffer);
    return set;
  }
  // From here on nothing may throw: the buffer is on the screen.
  ++statistics_.mode_sets;
  scene_ = std::move(scene);
  front_ = std::move(buffer);
  spare_ = {};
  format_ = format;
  lit_ = true;
  covered_ = false;
  flips_ = false;
  power_ = Power::on;
  unpresented_.clear();
  // A mode set may wipe the memory that it is to show: bochs lets the card clear the start of it.
  stale_ = card_.info().shared || !*uploaded;
  return {};
}

bool Screen::light_again() {
  const Power wanted = power_;
  // With a buffer at hand, asking costs less than trying.
  auto lit = front_.memory ? card_.available() : Result<void>();
  if (lit) lit = light(wanted_);
  report(lit ? std::error_code() : lit.error());
  if (lit) set_power(wanted);
  return lit.has_value();
}

int Screen::apply(const Scene& wanted) {
  const Scene scene = fitted(wanted);
  if (scene.mode != scene_.mode) {
    const auto taken = lit_ ? change_mode(wanted) : check(wanted);
    if (!taken) {
      // A program may ask without a pause, so the log has one refusal in a while.
      if (mode_error_.update(taken.error(), clock_.now()) == ReportedError::News::fails) {
        spdlog::warn("{} refused the mode {}: {}", name(), scene.mode.name, cause_of(taken.error()));
      }
      return taken.error().value();
    }
    mode_error_.clear();
    take_over(wanted);
    return 0;
  }
  const bool changed = scene != scene_;
  take_over(wanted);
  if (!changed) return 0;
  stale_ = true;
  flips_ = true;
  return 0;
}

Result<void> Screen::change_mode(const Scene& wanted) {
  const auto lit = light(wanted);
  if (lit || !card_.info().shared || !taken_by_other(lit.error())) return lit;
  // The program goes on as if it were shown. A buffer of the new size waits for the screen.
  give_back();
  if (const auto later = light(wanted); !later && !taken_by_other(later.error())) return later;
  return {};
}

void Screen::give_back() {
  if (lit_) card_.release(output_.id);
  forget();
}

void Screen::leave() {
  if (lit_) card_.leave(output_.id);
  forget();
}

void Screen::forget() {
  lit_ = false;
  covered_ = false;
  unpresented_.clear();
  stale_ = false;
  flips_ = false;
  spare_ = {};
  front_ = {};
}

void Screen::set_power(Power power) {
  if (power == power_) return;
  // An output that is not lit takes it on when it is.
  if (!lit_) {
    power_ = power;
    return;
  }
  // As in the kernel's emulation the program is not told of a failure; the next change tries again. The log
  // has it once, since a program may ask for changes without a pause.
  const auto set = card_.set_power(output_.id, power);
  const auto news = power_error_.update(set ? std::error_code() : set.error(), clock_.now());
  if (news == ReportedError::News::fails) {
    spdlog::warn("cannot change the power of {}: {}; the next FBIOBLANK tries again", name(),
                 set.error().message());
  } else if (news == ReportedError::News::works) {
    spdlog::info("the power of {} can be changed again", name());
  }
  if (!set) return;
  power_ = power;
  if (power == Power::on) stale_ = true;
}

bool Screen::take_output(const std::vector<drmclient::Output>& outputs) {
  const auto now = std::ranges::find(outputs, output_.id, &drmclient::Output::id);
  const bool connected = now != outputs.end() && now->connected;
  if (connected != output_.connected) {
    spdlog::info("output {} was {}", output_.name, connected ? "connected" : "disconnected");
  }
  const bool back = connected && !output_.connected;
  // Without a monitor there are no modes; the next one is compared with the last.
  const bool other_modes = connected && !now->modes.empty() && now->modes != monitor_modes_;
  if (now != outputs.end()) output_ = *now;
  output_.connected = connected;
  if (other_modes) {
    monitor_modes_ = output_.modes;
    other_monitor_ = true;
    if (!lit_) take_over(wanted_);
  }
  return back || other_modes;
}

void Screen::look_for_other_masters() {
  if (!lit_) return;
  if (!covered_ && !card_.shows(output_.id)) covered_ = true;
  if (!covered_) return;
  const auto available = card_.available();
  if (!available && available.error().value() != ENODEV) {
    report(available.error());
    return;
  }
  covered_ = false;
  stale_ = true;
}

void Screen::upload_damage(const std::vector<ByteRange>& ranges) {
  if (ranges.empty()) return;
  Region view;
  for (const ViewPart& part : scene_.parts()) {
    Region changed = pixels_in(ranges, scene_.layout, part.from, part.view.size());
    changed.translate(part.view.x1, part.view.y1);
    view.add(changed);
  }
  const std::vector<Rect> rects = view.rects();
  if (rects.empty()) return;
  if (const auto uploaded = uploader_.upload(shadow_, scene_, rects, *front_.memory); !uploaded) {
    stale_ = true;
    report(uploaded.error());
    return;
  }
  const Placement placement = scene_.placement();
  Region shown;
  for (const Rect& rect : rects) shown.add(placement.to_output(rect));
  const uint64_t bytes = shown.area() * drmclient::bytes_per_pixel(format_);
  statistics_.uploaded_rects += rects.size();
  statistics_.uploaded_bytes += bytes;
  statistics_.tracked_bytes += bytes;
  unpresented_.add(shown);
}

Result<bool> Screen::upload_all_to(Buffer& buffer, const Scene& scene) {
  if (buffer.border != scene.placement()) {
    const auto cleared = Uploader::clear_border(scene, *buffer.memory);
    if (!cleared) return tl::make_unexpected(cleared.error());
    buffer.border = scene.placement();
  }
  Result<void> live;
  if (pages_ != nullptr) {
    live = uploader_.upload_live(*pages_, scene, *buffer.memory);
    if (live) {
      report_pages({});
      return true;
    }
  }
  const Rect view = Rect::of(scene.size);
  const auto uploaded = uploader_.upload(shadow_, scene, {&view, 1}, *buffer.memory);
  if (!uploaded) return tl::make_unexpected(uploaded.error());
  if (!live) report_pages(live.error());
  return live.has_value();
}

/// An upload that works from the shadow and not from the live pixels failed because of these.
void Screen::report_pages(std::error_code outcome) {
  const auto news = pages_error_.update(outcome, clock_.now());
  if (news == ReportedError::News::fails) {
    spdlog::warn(
        "{} shows what programs drew until some moments ago, because their pages cannot be read: "
        "{}; trying again at each frame",
        name(), outcome.message());
  } else if (news == ReportedError::News::works) {
    spdlog::info("{} shows the pages of programs again", name());
  }
}

Screen::Buffer& Screen::buffer_for_all() {
  if (!flips_) return front_;
  if (!spare_.memory) {
    // Where the card has no memory for a second one, half a picture may be seen.
    auto made = card_.create_buffer(scene_.mode.size(), format_);
    if (!made) return front_;
    spare_ = {std::move(*made), {}};
  }
  return spare_;
}

void Screen::upload_all() {
  Buffer& buffer = buffer_for_all();
  const auto uploaded = upload_all_to(buffer, scene_);
  if (!uploaded) {
    stale_ = true;
    report(uploaded.error());
    return;
  }
  if (&buffer == &spare_) std::swap(front_, spare_);
  flips_ = false;
  stale_ = !*uploaded;
  ++statistics_.uploaded_rects;
  statistics_.uploaded_bytes += scene_.mode.size().area() * drmclient::bytes_per_pixel(format_);
  unpresented_ = Region();
  unpresented_.add(Rect::of(scene_.mode.size()));
}

std::optional<drmclient::Frame> Screen::next_frame() {
  if (!is_visible() || covered_ || unpresented_.empty()) return std::nullopt;
  presenting_ = covering_rects(unpresented_, drmclient::Card::max_damage_rects);
  return drmclient::Frame{output_.id, front_.memory.get(), {}, presenting_};
}

bool Screen::presented(const Result<void>& result) {
  if (!result) {
    ++statistics_.failed_presents;
    report(result.error());
    covered_ = taken_by_other(result.error());
    // A card that is gone may come back: its node is tried again once it is closed.
    const bool gone = result.error().value() == ENODEV && card_.info().shared;
    if (gone) give_back();
    return !gone;
  }
  ++statistics_.presents;
  unpresented_.clear();
  report({});
  return true;
}

void Screen::report(std::error_code error) {
  const auto patience = taken_by_other(error) ? patience_with_others : std::chrono::milliseconds(0);
  const auto news = update_error_.update(error, clock_.now(), patience);
  if (news == ReportedError::News::works) spdlog::info("{} is updated again", name());
  if (news != ReportedError::News::fails) return;
  const bool left_out = role_ == Role::follows && !lit_ && !may_pass(error);
  spdlog::warn("{} cannot be updated: {}; {}", name(), cause_of(error),
               left_out ? "it is left out" : "trying again");
}

}  // namespace fbemu
