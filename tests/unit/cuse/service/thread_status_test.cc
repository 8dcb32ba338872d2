#include "cuse/service/thread_status.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <string>

#include "tests/support/child_process.h"
#include "tests/support/eventually.h"

using cuse::read_thread_status;

TEST(ThreadStatus, StatusOfThisThread) {
  const auto status = read_thread_status(::gettid());
  ASSERT_TRUE(status);
  EXPECT_EQ(status->state, 'R');
  EXPECT_FALSE(status->has_ended());
  EXPECT_EQ(status->process, ::getpid());
  EXPECT_EQ(status->parent, ::getppid());
}

TEST(ThreadStatus, ZombieHasEnded) {
  const unit::ChildProcess child([] { return 0; });
  EXPECT_TRUE(unit::eventually([&] { return read_thread_status(child.process())->has_ended(); }));
  EXPECT_EQ(read_thread_status(child.process())->parent, ::getpid());
}

TEST(ThreadStatus, MissingThreadHasNone) {
  unit::ChildProcess child([] { return 0; });
  const pid_t process = child.process();
  child.wait();
  EXPECT_FALSE(read_thread_status(process));
}

TEST(ThreadStatus, NameCannotForgeStatus) {
  const unit::Pipe ready;
  const unit::ChildProcess child([&ready]() -> int {
    ::prctl(PR_SET_NAME, "a\nState:\tZ");
    ready.put('r');
    unit::wait_to_be_killed();
  });
  ASSERT_EQ(ready.get(), 'r');
  EXPECT_FALSE(read_thread_status(child.process())->has_ended());
  EXPECT_EQ(cuse::process_name(child.process()), "a");
}

TEST(ThreadStatus, UnprintableCharactersInNameAreReplaced) {
  const unit::Pipe ready;
  const unit::ChildProcess child([&ready]() -> int {
    ::prctl(PR_SET_NAME, "a\x1b[1m");
    ready.put('r');
    unit::wait_to_be_killed();
  });
  ASSERT_EQ(ready.get(), 'r');
  EXPECT_EQ(cuse::process_name(child.process()), "a?[1m");
}
