#include "cuse/control/reports.h"

#include <array>

namespace cuse {
namespace {

using nlohmann::json;

json size_json(drmclient::Size size) {
  return {{"width", size.width}, {"height", size.height}};
}

json mode_json(const drmclient::Mode& mode) {
  json object = size_json(mode.size());
  object["name"] = mode.name;
  object["refresh_millihertz"] = mode.refresh_millihertz();
  object["preferred"] = mode.preferred;
  return object;
}

json format_names(const drmclient::OutputInfo& output) {
  json names = json::array();
  for (const drmclient::PixelFormat format : output.formats) names.push_back(drmclient::fourcc_name(format));
  return names;
}

json mappings_json(const drmclient::MappingStatistics& statistics) {
  json report;
  report["limit_bytes"] = statistics.limit_bytes;
  constexpr std::array<const char*, drmclient::mapping_kinds> names{"dumb", "dmabuf", "shadow"};
  for (size_t kind = 0; kind < names.size(); ++kind) {
    const drmclient::MappingCounts& counts = statistics.kinds.at(kind);
    report[names.at(kind)] = {{"hits", counts.hits},
                              {"misses", counts.misses},
                              {"remaps", counts.remaps},
                              {"mapped_bytes", counts.mapped_bytes},
                              {"uploaded_bytes", counts.uploaded_bytes},
                              {"released_for_limit", counts.released_for_limit},
                              {"released_for_pressure", counts.released_for_pressure},
                              {"released_on_hint", counts.released_on_hint}};
  }
  return report;
}

/// Returns the rectangle that the picture covers on an output in the mode `mode`.
json shown_at(const fbemu::FramebufferState& fb_state, const drmclient::Mode& mode) {
  // A clone may show the picture in another mode.
  fbemu::FramebufferState as_shown = fb_state;
  as_shown.mode = mode;
  const drmclient::Rect shown = as_shown.view_transform().target();
  return {{"x", shown.x1}, {"y", shown.y1}, {"width", shown.width()}, {"height", shown.height()}};
}

json output_json(const fbemu::CloneGroup::OutputStatus& output, const fbemu::FramebufferState& fb_state) {
  return {{"name", output.name},
          {"connected", output.connected},
          {"enabled", output.enabled},
          {"preempted", output.preempted},
          {"mode", mode_json(output.mode)},
          {"shown_at", shown_at(fb_state, output.mode)},
          {"error", output.error ? json(output.error.message()) : json(nullptr)}};
}

const char* tracker_word(const fbemu::Framebuffer::Status& status) {
  if (status.open_writers == 0) return "idle";
  return status.presenter.tracker == fbemu::TrackingPolicy::Mode::hot ? "hot" : "tracked";
}

const char* visual_name(const fbemu::ProgramFormat& format) {
  switch (format.visual) {
    case fbemu::Visual::mono:
      return "mono";
    case fbemu::Visual::pseudocolor:
      return "pseudocolor";
    case fbemu::Visual::grayscale:
      return "grayscale";
    case fbemu::Visual::directcolor:
      return "directcolor";
    case fbemu::Visual::truecolor:
      break;
  }
  return "truecolor";
}

}  // namespace

json status_report(const DaemonIdentity& daemon, const fbemu::Framebuffer& framebuffer) {
  const fbemu::Framebuffer::Status status = framebuffer.status();
  const auto& presenter = status.presenter;
  json report;
  report["version"] = FBEMU_VERSION;
  report["device"] = daemon.device;
  report["id"] = status.id;
  report["cuse_device"] = daemon.cuse_number.empty() ? json(nullptr) : json(daemon.cuse_number);
  report["cuse_device_missing"] = daemon.cuse_number.empty() ? json(daemon.cuse_missing) : json(nullptr);
  report["process"] = daemon.process;
  report["guard_process"] = daemon.guard;
  report["card"] = daemon.driver;
  report["card_details"] = {{"driver", presenter.card.driver},
                            {"path", presenter.card.path.empty() ? json(nullptr) : json(presenter.card.path)},
                            {"formats", format_names(presenter.output)},
                            {"commit", presenter.paths.commit},
                            {"flush", presenter.paths.flush},
                            {"mapping", presenter.paths.mapping},
                            {"vblank", presenter.paths.vblank}};
  report["output"] = {{"name", presenter.output.name},
                      {"connected", presenter.output.connected},
                      {"size_mm", size_json(presenter.output.size_mm)}};
  report["outputs"] = json::array();
  for (const auto& output : presenter.outputs)
    report["outputs"].push_back(output_json(output, status.fb_state));
  report["enabled"] = presenter.enabled;
  report["preempted"] = presenter.preempted;
  report["on_active_vt"] = presenter.on_active_vt;
  report["mode"] = mode_json(presenter.mode);
  report["scanout_format"] = drmclient::fourcc_name(presenter.scanout_format);
  report["visible"] = size_json(status.fb_state.size);
  report["virtual"] = size_json(status.fb_state.layout.virtual_size);
  report["offset"] = {{"x", status.fb_state.offset.x}, {"y", status.fb_state.offset.y}};
  report["bits_per_pixel"] = status.fb_state.layout.format.bits_per_pixel;
  report["visual"] = visual_name(status.fb_state.layout.format);
  report["degrees"] = 90 * static_cast<unsigned>(status.fb_state.rotation);
  report["shown_at"] = shown_at(status.fb_state, presenter.mode);
  report["line_length"] = status.fb_state.layout.pitch_bytes;
  report["memory_bytes"] = framebuffer.memory_bytes();
  report["blank_level"] = status.blank_level;
  report["open_files"] = status.open_files;
  report["open_writers"] = status.open_writers;
  report["tracker"] = tracker_word(status);
  report["error"] = presenter.error ? json(presenter.error.message()) : json(nullptr);
  return report;
}

json statistics_report(const fbemu::Framebuffer& framebuffer) {
  const fbemu::Statistics& statistics = framebuffer.statistics();
  const uint64_t changed = statistics.changed_bytes;
  const uint64_t tracked = statistics.tracked_bytes;
  json report;
  report["ioctls"] = statistics.ioctls.load();
  report["reads"] = statistics.reads.load();
  report["writes"] = statistics.writes.load();
  report["write_backs"] = statistics.write_backs.load();
  report["changed_bytes"] = changed;
  report["ticks"] = statistics.ticks.load();
  report["hot_ticks"] = statistics.hot_ticks.load();
  report["hot_periods"] = statistics.hot_periods.load();
  report["uploaded_rects"] = statistics.uploaded_rects.load();
  report["uploaded_bytes"] = statistics.uploaded_bytes.load();
  report["tracked_bytes"] = tracked;
  report["presents"] = statistics.presents.load();
  report["failed_presents"] = statistics.failed_presents.load();
  report["mode_sets"] = statistics.mode_sets.load();
  const fbemu::Framebuffer::Status status = framebuffer.status();
  report["tracker"] = tracker_word(status);
  report["mappings"] = mappings_json(status.presenter.mappings);
  // Only uploads that follow damage count here, because hot mode uploads without damage.
  report["uploaded_to_changed"] =
      changed == 0 ? json(nullptr) : json(static_cast<double>(tracked) / static_cast<double>(changed));
  return report;
}

json modes_report(const fbemu::Framebuffer& framebuffer) {
  const auto output = framebuffer.output();
  json modes = json::array();
  for (const drmclient::Mode& mode : output->modes) modes.push_back(mode_json(mode));
  json report;
  report["output"] = output->name;
  report["modes"] = std::move(modes);
  report["custom_modes_up_to"] =
      output->custom_modes_up_to.area() == 0 ? json(nullptr) : size_json(output->custom_modes_up_to);
  return report;
}

}  // namespace cuse
