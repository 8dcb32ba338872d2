#pragma once

#include <cstdlib>
#include <optional>
#include <string>

namespace unit {

/// A change of an environment variable that the destructor undoes.
class Environment {
 public:
  /// Sets the variable to `value`, or unsets it if `value` is empty.
  Environment(std::string name, const std::optional<std::string>& value) : name_(std::move(name)) {
    if (const char* old = std::getenv(name_.c_str()); old != nullptr) old_ = old;
    assign(value);
  }
  ~Environment() { assign(old_); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  void assign(const std::optional<std::string>& value) const {
    if (value) {
      ::setenv(name_.c_str(), value->c_str(), 1);
    } else {
      ::unsetenv(name_.c_str());
    }
  }
  std::string name_;
  std::optional<std::string> old_;
};

}  // namespace unit
