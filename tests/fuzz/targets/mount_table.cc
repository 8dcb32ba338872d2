// The mount table, as libmount and the functions of cuse/node read it.
//
// Input: a line with a path, then the table (/proc/self/mountinfo).
#include <libmount.h>

#include <cstdio>
#include <string>
#include <string_view>

#include "cuse/node/mount_table.h"
#include "tests/fuzz/fuzz.h"

namespace {

/// The table of the current run.
std::string_view current_table;

}  // namespace

/// Reads the table of the input in place of the kernel's. The linker prefers it to libmount's.
extern "C" libmnt_table* mnt_new_table_from_file(const char* name) {
  libmnt_table* table = ::mnt_new_table();
  // An empty file cannot be opened in memory.
  const std::string text = current_table.empty() ? std::string("\n") : std::string(current_table);
  std::FILE* file = ::fmemopen(const_cast<char*>(text.data()), text.size(), "r");
  const bool parsed = table != nullptr && file != nullptr && ::mnt_table_parse_stream(table, file, name) == 0;
  if (file != nullptr) static_cast<void>(std::fclose(file));
  if (parsed) return table;
  ::mnt_unref_table(table);
  return nullptr;
}

void fuzz::run(Input input) {
  const std::string path(input.take_line());
  current_table = input.take_rest();
  const auto mount = cuse::find_framebuffer_mount(path);
  constexpr pid_t some_daemon = 4711;
  static_cast<void>(cuse::is_mounted(path, some_daemon));
  if (!mount) return;
  require(current_table.find("fuse.fbemu") != std::string_view::npos,
          "a mount that is found is in the table");
  require(mount->daemon >= 0, "a daemon is a process, or unknown");
  const std::string source = cuse::mount_source(mount->daemon);
  if (current_table.find(" " + source + " ") != std::string_view::npos && mount->daemon != 0) {
    static_cast<void>(cuse::is_mounted(path, mount->daemon));
  }
}
