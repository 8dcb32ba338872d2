#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <new>

namespace unit {

/// An object in memory that forks of this process share with it.
template <typename T>
class Shared {
 public:
  Shared() : object_(::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
    EXPECT_NE(object_, MAP_FAILED);
    new (object_) T{};
  }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  ~Shared() { ::munmap(object_, sizeof(T)); }

  T& operator*() const { return *static_cast<T*>(object_); }
  T* operator->() const { return static_cast<T*>(object_); }

 private:
  void* object_;
};

}  // namespace unit
