// fbemuctl: asks a running fbemud.

#include <sys/mman.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/memory_map.h"
#include "cuse/control/control_client.h"
#include "cuse/control/png_file.h"

namespace {

/// Returns in parentheses what the screen shows in place of the framebuffer; an empty text if it shows the
/// framebuffer.
std::string shown_instead(const nlohmann::json& status) {
  if (status.at("preempted").get<bool>()) return " (another program has the screen)";
  if (status.at("enabled").get<bool>()) return "";
  return status.at("on_active_vt").get<bool>() ? " (shows the console)"
                                               : " (another virtual terminal is active)";
}

using nlohmann::json;

constexpr int usage_error = 2;
constexpr int json_indent = 2;

std::string size_text(const json& size) {
  return std::to_string(size.at("width").get<unsigned>()) + "x" +
         std::to_string(size.at("height").get<unsigned>());
}

void print_line(const std::string& name, const std::string& value) {
  constexpr size_t column = 16;
  std::cout << name << std::string(name.size() < column ? column - name.size() : 1, ' ') << value << '\n';
}

std::string refresh_text(const json& mode) {
  const unsigned millihertz = mode.at("refresh_millihertz").get<unsigned>();
  const unsigned hundredths = (millihertz + 5) / 10;
  const std::string fraction = std::to_string(hundredths % 100);
  return std::to_string(hundredths / 100) + "." + (fraction.size() < 2 ? "0" : "") + fraction + " Hz";
}

void print_status(const json& status) {
  static constexpr std::array blank_words{"no", "yes", "yes (vsync suspend)", "yes (hsync suspend)",
                                          "yes (power down)"};
  const auto& output = status.at("output");
  const auto& offset = status.at("offset");
  print_line("device",
             status.at("device").get<std::string>() + " (" + status.at("id").get<std::string>() + ")");
  const auto& cuse = status.at("cuse_device");
  print_line("node", cuse.is_null() ? "file (" + status.at("cuse_device_missing").get<std::string>() + ")"
                                    : "file over the CUSE device " + cuse.get<std::string>());
  const auto& card = status.at("card_details");
  const auto card_word = [&](const char* name) { return card.at(name).get<std::string>(); };
  print_line("card", card.at("path").is_null() ? card_word("driver")
                                               : card_word("path") + " (" + card_word("driver") + ")");
  print_line("paths", "commit " + card_word("commit") + ", flush " + card_word("flush") + ", mapping " +
                          card_word("mapping") + ", vblank " + card_word("vblank"));
  print_line("output", output.at("name").get<std::string>() +
                           (output.at("connected").get<bool>() ? "" : " (not connected)") +
                           shown_instead(status));
  print_line("mode", size_text(status.at("mode")) + " at " + refresh_text(status.at("mode")));
  const auto& outputs = status.at("outputs");
  for (size_t i = 1; i < outputs.size(); ++i) {
    const auto& also = outputs.at(i);
    const auto& error = also.at("error");
    print_line("also on", also.at("name").get<std::string>() + ", " + size_text(also.at("mode")) + " at " +
                              refresh_text(also.at("mode")) +
                              (error.is_null() ? "" : " (" + error.get<std::string>() + ")"));
  }
  print_line("virtual screen", size_text(status.at("virtual")) + ", " +
                                   std::to_string(status.at("bits_per_pixel").get<unsigned>()) + " bits (" +
                                   status.at("visual").get<std::string>() + "), " +
                                   std::to_string(status.at("line_length").get<unsigned>()) +
                                   " bytes a line");
  print_line("offset", std::to_string(offset.at("x").get<unsigned>()) + "," +
                           std::to_string(offset.at("y").get<unsigned>()));
  print_line("memory", std::to_string(status.at("memory_bytes").get<uint64_t>()) + " bytes");
  print_line("scan-out", status.at("scanout_format").get<std::string>());
  print_line("blanked", blank_words.at(status.at("blank_level").get<size_t>()));
  print_line("open files", std::to_string(status.at("open_files").get<unsigned>()) + ", " +
                               std::to_string(status.at("open_writers").get<unsigned>()) + " for writing");
  print_line("tracker", status.at("tracker").get<std::string>());
  print_line("daemon", "process " + std::to_string(status.at("process").get<int>()) + ", version " +
                           status.at("version").get<std::string>());
  if (!status.at("error").is_null()) print_line("error", status.at("error").get<std::string>());
}

/// Prints each number on a line; those of a nested object as "mappings.dumb.hits".
void print_statistics(const json& statistics, const std::string& prefix = {}) {
  constexpr size_t column = 38;
  for (const auto& [key, value] : statistics.items()) {
    const std::string name = prefix + key;
    if (value.is_object()) {
      print_statistics(value, name + '.');
      continue;
    }
    std::cout << name << std::string(name.size() < column ? column - name.size() : 1, ' ')
              << (value.is_string() ? value.get<std::string>() : value.dump()) << '\n';
  }
}

void print_modes(const json& modes) {
  for (const auto& mode : modes.at("modes")) {
    std::cout << size_text(mode) << '@' << refresh_text(mode)
              << (mode.at("preferred").get<bool>() ? " (preferred)" : "") << '\n';
  }
  const auto& custom = modes.at("custom_modes_up_to");
  if (!custom.is_null()) std::cout << "any other up to " << size_text(custom) << '\n';
}

/// Prints the result of a freeze: the programs that are not frozen as errors.
void print_freeze(const json& report) {
  for (const auto& program : report.at("not_frozen")) {
    std::cerr << "fbemuctl: process " << program.at("process").get<int>() << " ("
              << program.at("name").get<std::string>() << ") " << program.at("reason").get<std::string>()
              << '\n';
  }
  std::cout << "frozen programs: " << report.at("programs").get<unsigned>()
            << ", threads: " << report.at("threads").get<unsigned>() << "\n";
}

void save_screenshot(const std::string& socket, const std::string& file) {
  const cuse::ControlAnswer answer = cuse::ask_daemon(socket, "screenshot");
  const drmclient::Size size{answer.body.at("width").get<uint32_t>(),
                             answer.body.at("height").get<uint32_t>()};
  struct stat status {};
  const size_t bytes = size.area() * sizeof(uint32_t);
  if (!answer.descriptor || ::fstat(answer.descriptor.get(), &status) != 0 ||
      static_cast<size_t>(status.st_size) != bytes) {
    throw std::runtime_error("fbemud sent no picture");
  }
  const auto map = base::MemoryMap::map(answer.descriptor.get(), bytes, PROT_READ);
  if (!map) throw std::system_error(map.error(), "cannot map the picture");
  const auto* pixels = reinterpret_cast<const uint32_t*>(map->data());
  cuse::write_png(file, size, {pixels, size.area()});
}

}  // namespace

int main(int argc, char** argv) {
  std::optional<std::string> control;
  std::string file;
  bool as_json = false;

  CLI::App app{"Reports the state of a running fbemud and its framebuffer."};
  app.name("fbemuctl");
  app.set_version_flag("--version", "fbemuctl " FBEMU_VERSION);
  app.footer("See fbemuctl(1).");
  app.require_subcommand(1);
  app.add_option("--control", control,
                 "the daemon's socket; default: $FBEMU_CONTROL, else that of the only daemon of this user")
      ->type_name("PATH");
  CLI::App* status = app.add_subcommand("status", "device, card, mode, geometry, open files");
  status->add_flag("--json", as_json, "print a JSON object");
  CLI::App* modes = app.add_subcommand("modes", "the modes of the output");
  modes->add_flag("--json", as_json, "print a JSON object");
  CLI::App* screenshot = app.add_subcommand("screenshot", "write what the output shows as a PNG file");
  screenshot->add_option("FILE", file, "the file; - for the standard output")->required();
  CLI::App* statistics = app.add_subcommand("stats", "counters since the start of the daemon");
  statistics->add_flag("--json", as_json, "print a JSON object");
  CLI::App* freeze =
      app.add_subcommand("freeze", "stop the programs that use the framebuffer, before a sleep");
  freeze->add_flag("--json", as_json, "print a JSON object");
  CLI::App* thaw = app.add_subcommand("thaw", "let these programs run again, after the sleep");
  thaw->add_flag("--json", as_json, "print a JSON object");

  try {
    app.parse(argc, argv);
  } catch (const CLI::RequiredError& error) {
    // CLI11 reports only that a subcommand is missing.
    const auto unknown = app.get_subcommands().empty() ? app.remaining() : std::vector<std::string>{};
    if (unknown.empty()) return app.exit(error) == 0 ? EXIT_SUCCESS : usage_error;
    std::cerr << "fbemuctl: there is no command \"" << unknown.front()
              << "\"; the commands are status, modes, screenshot, stats, freeze and thaw\n";
    return usage_error;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? EXIT_SUCCESS : usage_error;
  }
  try {
    const std::string socket = cuse::find_control_socket(control);
    if (screenshot->parsed()) {
      save_screenshot(socket, file);
      return EXIT_SUCCESS;
    }
    const json body = cuse::ask_daemon(socket, app.get_subcommands().front()->get_name()).body;
    if (as_json) {
      std::cout << body.dump(json_indent) << '\n';
    } else if (status->parsed()) {
      print_status(body);
    } else if (modes->parsed()) {
      print_modes(body);
    } else if (statistics->parsed()) {
      print_statistics(body);
    } else if (freeze->parsed()) {
      print_freeze(body);
    } else if (thaw->parsed()) {
      std::cout << (body.at("thawed").get<bool>() ? "the programs run again\n" : "no programs were frozen\n");
    }
    std::cout.flush();
    return std::cout ? EXIT_SUCCESS : EXIT_FAILURE;
  } catch (const std::exception& error) {
    std::cerr << "fbemuctl: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
