#pragma once

#include <cstddef>

namespace fbemu {

/// The state of one output of a framebuffer.
enum class OutputState {
  disabled,            ///< no mode is set
  waiting_for_master,  ///< another process is DRM master; a filled buffer waits for the output
  enabled,             ///< the CRTC scans out our framebuffer, or is switched off by FBIOBLANK
  preempted,           ///< a mode is set, but another DRM master's framebuffer is scanned out
  failed,              ///< the driver refused to enable the output, for example for want of a CRTC
  unplugged,           ///< the card was unplugged; its node is closed, and may appear again
};

/// An event of an output.
enum class OutputEvent {
  mode_set,         ///< set_mode() succeeded
  enable_conflict,  ///< set_mode() failed, because another process is DRM master
  enable_failed,    ///< no buffer, no pixels, or set_mode() failed for another reason
  fb_replaced,      ///< another framebuffer is scanned out, or a present() met another DRM master
  master_released,  ///< the output may be used again after fb_replaced
  card_unplugged,   ///< a call failed with ENODEV
  released,         ///< the output was released, or is to be tried again
};

/// Returns the state after `event`. A column is an event in the order of OutputEvent; a dot keeps the state.
///
///                      mode_set  enable_    enable_  fb_        master_   card_      released
///                                conflict   failed   replaced   released  unplugged
///  disabled            enabled   waiting    failed   .          .         unplugged  .
///  waiting_for_master  enabled   .          .        .          .         unplugged  disabled
///  enabled             .         .          .        preempted  .         unplugged  disabled
///  preempted           enabled   .          .        .          enabled   unplugged  disabled
///  failed              enabled   waiting    .        .          .         unplugged  disabled
///  unplugged           enabled   waiting    failed   .          .         .          disabled
///
/// An enabled output stays enabled if another mode fails, because the last one is still set. A waiting output
/// stays waiting if it fails: its buffer is kept for the next attempt.
[[nodiscard]] OutputState next_state(OutputState state, OutputEvent event);

}  // namespace fbemu
