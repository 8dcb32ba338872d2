// fbemud: serves a framebuffer device.

#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <map>
#include <optional>
#include <string>

#include "cuse/bin/daemon.h"
#include "cuse/bin/daemon_options.h"
#include "cuse/service/log.h"
#include "cuse/service/stop_signals.h"
#include "drmclient/mode.h"

namespace {

constexpr int usage_error = 2;

const std::map<std::string, fbemu::Scaling> scalings{
    {"none", fbemu::Scaling::none}, {"fit", fbemu::Scaling::fit}, {"integer", fbemu::Scaling::integer}};
const std::map<std::string, bool> visuals{{"truecolor", false}, {"directcolor", true}};

const std::map<std::string, drmclient::MappingChoice> mappings{{"auto", drmclient::MappingChoice::automatic},
                                                               {"dumb", drmclient::MappingChoice::dumb},
                                                               {"dmabuf", drmclient::MappingChoice::dma_buf},
                                                               {"shadow", drmclient::MappingChoice::shadow}};
const std::map<std::string, fbemu::OnClose> ways_on_close{{"console", fbemu::OnClose::console},
                                                          {"keep", fbemu::OnClose::keep}};

/// Returns a check for CLI11: the text must be WxH; @HZ may follow if `with_refresh`.
CLI::Validator geometry(bool with_refresh) {
  return {[with_refresh](const std::string& text) -> std::string {
            const auto mode = drmclient::parse_mode(text);
            if (mode && (with_refresh || !mode->refresh_millihertz)) return {};
            return "\"" + text + "\" is not " +
                   (with_refresh ? "WxH or WxH@HZ, as 1024x768@60" : "WxH, as 1024x1536");
          },
          "", "geometry"};
}

/// Serves until the end of the daemon. Returns its exit status. Throws if the daemon cannot be made.
int serve(const cuse::DaemonOptions& options) {
  cuse::Daemon daemon(options);
  int exit_status = EXIT_FAILURE;
  try {
    daemon.start();
    exit_status = daemon.run();
  } catch (const std::exception& error) {
    // Logged before the stop, which may end the process.
    spdlog::error("{}", error.what());
  }
  return daemon.stop(exit_status);
}

}  // namespace

int main(int argc, char** argv) {
  cuse::DaemonOptions options;
  std::string mode;
  std::string virtual_size;
  bool no_cuse = false;
  unsigned degrees = 0;

  CLI::App app{
      "Serves a Linux framebuffer device (/dev/fbN) from user space.\n"
      "fbemud [OPTIONS] [-- COMMAND [ARGUMENT...]]"};
  app.name("fbemud");
  app.footer(
      "With a COMMAND, fbemud runs it with FRAMEBUFFER and SDL_FBDEV set to the device, and ends with its "
      "exit\nstatus. Without one it serves until SIGTERM or SIGINT. See fbemud(8).");
  app.set_version_flag("--version", "fbemud " FBEMU_VERSION);
  app.add_option("--card", options.card, "auto, headless, headless:WxH[@HZ], or the path of a DRM node")
      ->type_name("CARD")
      ->capture_default_str();
  app.add_option("--device", options.device,
                 "the path to serve; default: the lowest free /dev/fbN. The framebuffer is mounted over the "
                 "character device or plain file there. If nothing exists, a file is made, and removed at "
                 "the end")
      ->type_name("PATH");
  app.add_option(
         "--connector", options.connector,
         "the only output to use, as HDMI-A-1; default: all connected outputs show the same picture, in "
         "the modes of the first")
      ->type_name("NAME");
  app.add_option("--mode", mode, "the initial mode; default: the preferred mode of the output")
      ->type_name("WxH[@HZ]")
      ->check(geometry(true));
  app.add_option("--depth", options.depth,
                 "bits per pixel at the start: 1, 8 (with a palette), 15, 16, 24 or 32")
      ->type_name("BITS")
      ->capture_default_str()
      ->check(CLI::IsMember({1U, 8U, 15U, 16U, 24U, 32U}));
  app.add_option("--virtual", virtual_size,
                 "initial size of the virtual screen; the memory is large enough for it, and for twice the "
                 "height of the mode")
      ->type_name("WxH")
      ->check(geometry(false));
  app.add_option("--memory", options.memory_bytes,
                 "size of the framebuffer's memory, as 32MiB; default: enough for two screens of 32 bits per "
                 "pixel, and for the virtual screen")
      ->type_name("SIZE")
      ->transform(CLI::AsSizeValue(false));
  app.add_option(
         "--scale", options.scaling,
         "how a picture is shown if no mode has its size: none (centred), fit (as large as possible), "
         "integer (the largest whole factor)")
      ->type_name("WAY")
      ->transform(CLI::CheckedTransformer(scalings))
      ->default_str("fit");
  app.add_option("--rotate", degrees, "turns the picture clockwise: 0, 90, 180 or 270 degrees")
      ->type_name("DEGREES")
      ->capture_default_str()
      ->check(CLI::IsMember({0U, 90U, 180U, 270U}));
  app.add_option("--visual", options.direct_color,
                 "truecolor, or directcolor: the colours of 16 bits and more go through the colour map, as a "
                 "gamma ramp")
      ->type_name("VISUAL")
      ->transform(CLI::CheckedTransformer(visuals))
      ->default_str("truecolor");
  app.add_option("--on-close", options.on_close,
                 "what the screen shows when the last program has closed the framebuffer: console (the "
                 "kernel's; a picture that was written stays until the terminal is used again) or keep (the "
                 "picture)")
      ->type_name("WAY")
      ->transform(CLI::CheckedTransformer(ways_on_close))
      ->default_str("console");
  app.add_flag("--clear-on-close", options.clear_on_close,
               "zero the framebuffer's memory after the last program has closed it, so that the next one "
               "does not see its picture");
  app.add_option(
         "--mapping", options.mapping,
         "how the CPU reaches the buffers of the card: auto (the first way that works), dumb (a mapping by "
         "the card), dmabuf (a mapping of the exported buffer), or shadow (changes are copied through a "
         "temporary mapping)")
      ->type_name("WAY")
      ->transform(CLI::CheckedTransformer(mappings))
      ->default_str("auto");
  app.add_flag("--no-cuse", no_cuse, "make no CUSE device, serve the file only");
  app.add_option("--control", options.control, "the socket for fbemuctl")->type_name("PATH");
  app.add_flag("--verbose", options.verbose, "log more");
  app.add_option("command", options.command, "the program to serve, with its arguments")->group("");
  app.positionals_at_end();

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? EXIT_SUCCESS : usage_error;
  }
  if (!mode.empty()) options.mode = *drmclient::parse_mode(mode);
  if (!virtual_size.empty()) options.virtual_size = drmclient::parse_mode(virtual_size)->size;

  constexpr unsigned quarter = 90;
  options.rotation = static_cast<fbemu::Rotation>(degrees / quarter);
  options.cuse = !no_cuse;

  cuse::start_logging(options.verbose);
  try {
    return serve(options);
  } catch (const cuse::StopRequested& stop) {
    constexpr int ended_by_signal = 128;
    spdlog::info("{}", stop.what());
    return options.command.empty() ? EXIT_SUCCESS : ended_by_signal + stop.signal();
  } catch (const std::exception& error) {
    spdlog::error("{}", error.what());
    return EXIT_FAILURE;
  }
}
