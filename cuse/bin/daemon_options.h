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

/// The command line of fbemud.
struct DaemonOptions {
  std::string card = "auto";
  std::optional<std::string> device;  ///< if empty: the lowest free /dev/fbN
  std::optional<std::string> connector;
  drmclient::MappingChoice mapping = drmclient::MappingChoice::automatic;
  std::optional<drmclient::ModeRequest> mode;
  unsigned depth = 32;  ///< bits per pixel at the start
  std::optional<drmclient::Size> virtual_size;
  uint64_t memory_bytes = 0;  ///< 0: the default of FramebufferOptions
  fbemu::Scaling scaling = fbemu::Scaling::fit;
  fbemu::Rotation rotation = fbemu::Rotation::none;
  bool direct_color = false;
  fbemu::OnClose on_close = fbemu::OnClose::console;
  bool clear_on_close = false;
  std::optional<std::string> control;
  bool cuse = true;  ///< True if a CUSE device is made when one is possible
  bool verbose = false;
  std::vector<std::string> command;  ///< program to serve, with its arguments; empty: serve until a signal
};

}  // namespace cuse
