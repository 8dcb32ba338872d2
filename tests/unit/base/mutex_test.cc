#include "base/mutex.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace {

/// Returns true if a thread of its own can acquire `mutex`.
bool is_free(base::Mutex& mutex) {
  bool acquired = false;
  std::thread([&] {
    if (mutex.try_lock()) {
      acquired = true;
      mutex.unlock();
    }
  }).join();
  return acquired;
}

TEST(MutexTest, LockHoldsTheMutexUntilTheScopeEnds) {
  base::Mutex mutex;
  {
    const base::MutexLock lock(mutex);
    EXPECT_FALSE(is_free(mutex));
  }
  EXPECT_TRUE(is_free(mutex));
}

TEST(MutexTest, LockReleasedEarlyIsNotReleasedTwice) {
  base::Mutex mutex;
  {
    base::MutexLock lock(mutex);
    lock.unlock();
    EXPECT_TRUE(is_free(mutex));
    lock.lock();
    EXPECT_FALSE(is_free(mutex));
    lock.unlock();
  }
  EXPECT_TRUE(is_free(mutex));
}

TEST(ConditionVariableTest, WaitEndsAtANotificationAndHoldsTheMutex) {
  base::Mutex mutex;
  base::ConditionVariable changed;
  bool ready = false;
  std::thread other([&] {
    const base::MutexLock lock(mutex);
    ready = true;
    changed.notify_one();
  });
  {
    const base::MutexLock lock(mutex);
    while (!ready) changed.wait(mutex);
    EXPECT_FALSE(is_free(mutex));
  }
  other.join();
  EXPECT_TRUE(is_free(mutex));
}

TEST(ConditionVariableTest, WaitUntilAPastTimeReportsItAndHoldsTheMutex) {
  base::Mutex mutex;
  base::ConditionVariable changed;
  const base::MutexLock lock(mutex);
  while (changed.wait_until(mutex, std::chrono::steady_clock::now())) {
  }
  EXPECT_FALSE(is_free(mutex));
}

}  // namespace
