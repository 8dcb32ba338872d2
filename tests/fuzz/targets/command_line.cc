// The values of command-line options: modes, sizes, cards, pixel formats, memory sizes and device paths.
//
// Input: lines of an option's name and its value.
#include <optional>
#include <string>
#include <system_error>

#include "cuse/bin/card_choice.h"
#include "cuse/control/control_socket.h"
#include "cuse/service/runtime_files.h"
#include "drmclient/mode.h"
#include "drmclient/pixel_format.h"
#include "fbemu/framebuffer_options.h"
#include "fbemu/pixels/program_format.h"
#include "tests/fuzz/fuzz.h"

namespace {

using fuzz::require;

void check_mode(std::string_view text) {
  const auto request = drmclient::parse_mode(text);
  if (!request) return require(request.error().value() == EINVAL, "a bad mode returns EINVAL");
  require(request->size.width > 0 && request->size.width <= 65'535, "a width has 16 bits");
  require(request->size.height > 0 && request->size.height <= 65'535, "a height has 16 bits");
  const uint32_t rate = request->refresh_millihertz.value_or(drmclient::default_refresh_millihertz);
  require(rate >= 1000 && rate <= 1'000'000, "a rate is from 1 to 1000 Hz");
  std::string again = std::to_string(request->size.width) + "x" + std::to_string(request->size.height);
  require(drmclient::parse_mode(again)->size == request->size, "a size survives printing");
}

void check_card(std::string_view text) {
  // No other card is opened: a path is replaced by one that does not exist, and "auto" is left out.
  std::string word(text);
  if (word.starts_with("auto")) return;
  if (word.starts_with("/")) word = "/nonexistent" + word.substr(std::min(word.find(','), word.size()));
  try {
    const auto card = cuse::open_card(word);
    require(word.starts_with("headless"), "only the headless card exists");
    const drmclient::OutputInfo output = cuse::choose_output(*card, std::nullopt).info();
    const auto mode = cuse::choose_initial_mode(*card, output, std::nullopt);
    require(mode.size().area() <= uint64_t{8192} * 8192, "a headless card has modes up to 8192x8192");
    require(mode.frame_period().count() > 0, "a frame lasts");
  } catch (const std::system_error& error) {
    require(std::string(error.what()).size() > 10, "an error is a sentence");
  }
}

void check_memory(std::string_view text) {
  fbemu::FramebufferOptions options;
  options.mode = drmclient::make_mode({64, 48});
  options.memory_bytes = std::strtoull(std::string(text).c_str(), nullptr, 0);
  if (const size_t space = text.find(' '); space != std::string_view::npos) {
    const auto size = drmclient::parse_mode(text.substr(space + 1));
    if (size) options.virtual_size = size->size;
  }
  try {
    const uint64_t bytes = fbemu::memory_bytes_for(options);
    require(bytes >= options.memory_bytes, "the memory has the requested size");
    require(bytes % 4096 == 0 && bytes <= 0xffff'ffff, "the memory is of whole pages and fits smem_len");
  } catch (const std::system_error& error) {
    require(error.code().value() == EINVAL, "too much memory returns EINVAL");
  }
}

void check_device(std::string_view text) {
  const std::string device = "/" + std::string(text);
  const std::string name = cuse::runtime_name(device);
  require(!name.empty() && name.find('/') == std::string::npos, "a runtime file has a name in its folder");
  require(name.size() <= 57, "a runtime file has a short name");
  try {
    static_cast<void>(cuse::make_unix_address(device));
  } catch (const std::system_error& error) {
    require(error.code().value() == ENAMETOOLONG, "only a long path is refused");
  }
}

}  // namespace

void fuzz::run(Input input) {
  while (!input.empty()) {
    std::string_view line = input.take_line();
    // A word of a command line ends with a null byte.
    line = line.substr(0, line.find('\0'));
    const size_t space = std::min(line.find(' '), line.size());
    const std::string_view option = line.substr(0, space);
    const std::string_view value = line.substr(std::min(space + 1, line.size()));
    if (option == "mode") check_mode(value);
    if (option == "card") check_card(value);
    if (option == "memory") check_memory(value);
    if (option == "device") check_device(value);
    if (option == "format") static_cast<void>(drmclient::format_named(value));
  }
}
