#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "drmclient/geometry.h"
#include "drmclient/mapping.h"
#include "drmclient/mode.h"
#include "fbemu/output/arbiter_options.h"
#include "fbemu/pixels/view_transform.h"

namespace cuse {

/// What fbemud was told on its command line.
struct DaemonOptions {
  std::string card = "auto";
  std::optional<std::string> device;  ///< without it: the lowest free /dev/fbN
  std::optional<std::string> connector;
  drmclient::MappingChoice mapping = drmclient::MappingChoice::automatic;
  std::optional<drmclient::ModeRequest> mode;
  unsigned depth = 32;  ///< bits per pixel at the start
  std::optional<drmclient::Size> virtual_size;
  uint64_t memory_bytes = 0;  ///< 0: as FramebufferOptions has it
  fbemu::Scaling scaling = fbemu::Scaling::fit;
  fbemu::Rotation rotation = fbemu::Rotation::none;
  bool direct_color = false;
  fbemu::OnClose on_close = fbemu::OnClose::console;
  std::optional<std::string> control;
  bool cuse = true;  ///< make a CUSE device where that is possible
  bool verbose = false;
  std::vector<std::string> command;  ///< to serve, with its arguments; empty: serve until a signal comes
};

/// Serves until SIGTERM, SIGINT or SIGHUP, or until the command has ended. Leaves no mount, node or file
/// behind. Returns the exit status: the command's, or 0. Throws std::system_error if serving cannot start,
/// StopRequested if a signal comes while the start waits for another daemon.
int run_daemon(const DaemonOptions& options);

}  // namespace cuse
