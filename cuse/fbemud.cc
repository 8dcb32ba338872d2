// fbemud: serves a framebuffer device.

#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>

#include "cuse/daemon.h"
#include "cuse/log.h"
#include "drmclient/mode.h"

namespace {

constexpr int usage_error = 2;

/// A check for CLI11: the text has to be WxH, with @HZ only where `with_refresh`.
CLI::Validator geometry(bool with_refresh) {
  return {[with_refresh](const std::string& text) -> std::string {
            const auto mode = drmclient::parse_mode(text);
            if (mode && (with_refresh || !mode->refresh_millihertz)) return {};
            return "\"" + text + "\" is not " +
                   (with_refresh ? "WxH or WxH@HZ, as 1024x768@60" : "WxH, as 1024x1536");
          },
          "", "geometry"};
}

}  // namespace

int main(int argc, char** argv) {
  cuse::DaemonOptions options;
  std::string mode;
  std::string virtual_size;
  unsigned depth = 32;
  bool no_cuse = false;

  CLI::App app{
      "Serves a Linux framebuffer device (/dev/fbN) from user space.\n"
      "fbemud [OPTIONS] [-- COMMAND [ARGUMENT...]]"};
  app.name("fbemud");
  app.footer(
      "With a COMMAND, fbemud serves it with FRAMEBUFFER and SDL_FBDEV set to the device, and ends with its "
      "exit\n"
      "status. Without one it serves until SIGTERM or SIGINT. See fbemud(8).");
  app.set_version_flag("--version", "fbemud " FBEMU_VERSION);
  app.add_option("--card", options.card, "auto, headless, headless:WxH[@HZ], or the path of a DRM node")
      ->type_name("CARD")
      ->capture_default_str();
  app.add_option("--device", options.device,
                 "the path to serve; default: the lowest free /dev/fbN. It may be a character device or a "
                 "plain file, "
                 "which is covered meanwhile, or nothing: then a file is made, and removed at the end")
      ->type_name("PATH");
  app.add_option("--connector", options.connector,
                 "the output's name, as HDMI-A-1; default: the first connected")
      ->type_name("NAME");
  app.add_option("--mode", mode, "the first mode; default: the output's preferred one")
      ->type_name("WxH[@HZ]")
      ->check(geometry(true));
  app.add_option("--depth", depth, "bits per pixel at the start")
      ->type_name("BITS")
      ->capture_default_str()
      ->check(CLI::IsMember({32U}));
  app.add_option("--virtual", virtual_size,
                 "size of the virtual screen at the start; the memory is at least as large as this needs, "
                 "and at least "
                 "twice the mode's height")
      ->type_name("WxH")
      ->check(geometry(false));
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

  options.cuse = !no_cuse;

  cuse::start_logging(options.verbose);
  try {
    return cuse::run_daemon(options);
  } catch (const std::exception& error) {
    spdlog::error("{}", error.what());
    return EXIT_FAILURE;
  }
}
