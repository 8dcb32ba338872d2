#include "fbemu/output/output_state.h"

#include <array>

namespace fbemu {
namespace {

using enum OutputState;

constexpr size_t states = 6;
constexpr size_t events = 7;

/// next_state() in the order of OutputState and OutputEvent.
constexpr std::array<std::array<OutputState, events>, states> transitions{{
    {enabled, waiting_for_master, failed, disabled, disabled, unplugged, disabled},
    {enabled, waiting_for_master, waiting_for_master, waiting_for_master, waiting_for_master, unplugged,
     disabled},
    {enabled, enabled, enabled, preempted, enabled, unplugged, disabled},
    {enabled, preempted, preempted, preempted, enabled, unplugged, disabled},
    {enabled, waiting_for_master, failed, failed, failed, unplugged, disabled},
    {enabled, waiting_for_master, failed, unplugged, unplugged, unplugged, disabled},
}};

}  // namespace

OutputState next_state(OutputState state, OutputEvent event) {
  return transitions.at(static_cast<size_t>(state)).at(static_cast<size_t>(event));
}

}  // namespace fbemu
