#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace fuzz {

/// The bytes of one run, which a target takes from the front. Numbers have the machine's byte order.
class Input {
 public:
  explicit Input(std::span<const std::byte> bytes) : bytes_(bytes) {}

  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  [[nodiscard]] size_t size() const { return bytes_.size(); }

  /// Takes an object; bytes beyond the end of the input are 0.
  template <typename T>
  [[nodiscard]] T take() {
    static_assert(std::is_trivially_copyable_v<T>);
    T object{};
    const auto part = take_bytes(sizeof object);
    if (!part.empty()) std::memcpy(&object, part.data(), part.size());
    return object;
  }
  /// Takes a number below `limit`.
  [[nodiscard]] size_t take_below(size_t limit) { return take<uint8_t>() % limit; }
  [[nodiscard]] bool take_bool() { return (take<uint8_t>() & 1U) != 0; }
  /// Takes `size` bytes, or fewer at the end of the input.
  [[nodiscard]] std::span<const std::byte> take_bytes(size_t size) {
    const auto part = bytes_.first(std::min(size, bytes_.size()));
    bytes_ = bytes_.subspan(part.size());
    return part;
  }
  /// Takes the bytes up to the next line feed, which is dropped.
  [[nodiscard]] std::string_view take_line() {
    const std::string_view all = text(bytes_);
    const size_t end = all.find('\n');
    static_cast<void>(take_bytes(end == std::string_view::npos ? all.size() : end + 1));
    return all.substr(0, end);
  }
  /// Takes the rest of the input.
  [[nodiscard]] std::string_view take_rest() { return text(take_bytes(bytes_.size())); }

 private:
  static std::string_view text(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  std::span<const std::byte> bytes_;
};

/// Prints `expectation` and aborts unless `holds`, so that the input is stored as a finding.
void require(bool holds, const char* expectation);

/// Repeats a system call that a signal ended. libFuzzer's clock is a signal.
template <typename Call>
auto restarted(Call call) {
  while (true) {
    const auto result = call();
    if (result != -1 || errno != EINTR) return result;
  }
}

/// Runs the target once. Each target defines it. It leaves no state behind that another run can notice.
void run(Input input);

}  // namespace fuzz
