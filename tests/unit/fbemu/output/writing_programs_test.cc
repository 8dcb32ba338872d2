#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "fbemu/output/writing_programs.h"
#include "tests/support/fake_virtual_terminals.h"

using fbemu::WritingPrograms;
using unit::OnTerminal;
using Answer = WritingPrograms::Answer;

namespace {

class WritingProgramsTest : public testing::Test {
 protected:
  /// A program that started on VT 9, which is never active here.
  static std::shared_ptr<OnTerminal> program(pid_t process, unsigned descriptors = 0) {
    return std::make_shared<OnTerminal>(9, process, descriptors);
  }
  [[nodiscard]] Answer any_on(unsigned front) {
    unsigned budget = plenty;
    return programs.any_on(front, budget);
  }

  static constexpr unsigned plenty = 1'000'000;
  WritingPrograms programs;
};

}  // namespace

TEST_F(WritingProgramsTest, EmptySetIsOnNoVt) {
  EXPECT_EQ(any_on(1), Answer::no);
}

TEST_F(WritingProgramsTest, ProgramOnStartVtIsFoundWithoutLookup) {
  const auto own = program(1);
  programs.add(own);
  unsigned no_budget = 0;
  EXPECT_EQ(programs.any_on(9, no_budget), Answer::yes);
  EXPECT_EQ(own->asked, 0U);
}

TEST_F(WritingProgramsTest, ProgramWithoutVtIsOnEveryVt) {
  programs.add(program(1));
  programs.add(nullptr);
  EXPECT_EQ(any_on(1), Answer::yes);
  programs.remove(nullptr);
  EXPECT_EQ(any_on(1), Answer::no);
}

TEST_F(WritingProgramsTest, ProgramIsOnOpenedVt) {
  const auto opener = program(1);
  opener->opened = 2;
  programs.add(opener);
  EXPECT_EQ(any_on(1), Answer::no);
  EXPECT_EQ(any_on(2), Answer::yes);
}

TEST_F(WritingProgramsTest, ProgramWithManyFilesIsLookedUpOnce) {
  const auto many = program(1);
  for (int i = 0; i < 1000; ++i) programs.add(i == 500 ? many : program(1));
  const auto first = program(2);
  programs.add(first);
  EXPECT_EQ(any_on(1), Answer::no);
  EXPECT_EQ(any_on(1), Answer::no);
  EXPECT_EQ(first->asked, 1U);
  unsigned budget = plenty;
  programs.ask_anew();
  static_cast<void>(programs.any_on(1, budget));
  EXPECT_EQ(budget, plenty - 2) << "two programs, whatever they have open";
}

TEST_F(WritingProgramsTest, OpenOrCloseLooksUpNoOtherProgram) {
  std::vector<std::shared_ptr<OnTerminal>> others;
  for (pid_t process = 1; process <= 100; ++process) {
    others.push_back(program(process));
    programs.add(others.back());
  }
  EXPECT_EQ(any_on(1), Answer::no);
  for (int i = 0; i < 10; ++i) {
    const auto late = program(1000);
    programs.add(late);
    EXPECT_EQ(any_on(1), Answer::no);
    EXPECT_EQ(late->asked, 1U);
    programs.remove(late);
    EXPECT_EQ(any_on(1), Answer::no);
  }
  for (const auto& other : others) EXPECT_EQ(other->asked, 1U);
}

TEST_F(WritingProgramsTest, OtherVtLooksUpEachProgramAgain) {
  const auto opener = program(1);
  programs.add(opener);
  static_cast<void>(any_on(1));
  static_cast<void>(any_on(2));
  EXPECT_EQ(opener->asked, 2U);
}

TEST_F(WritingProgramsTest, AskAnewLooksUpProgramForSameVt) {
  const auto opener = program(1);
  programs.add(opener);
  EXPECT_EQ(any_on(2), Answer::no);
  opener->opened = 2;
  EXPECT_EQ(any_on(2), Answer::no) << "the answer is kept";
  programs.ask_anew();
  EXPECT_EQ(any_on(2), Answer::yes);
}

TEST_F(WritingProgramsTest, SecondOpenLooksUpProgramAgain) {
  const auto opener = program(1);
  programs.add(opener);
  EXPECT_EQ(any_on(2), Answer::no);
  opener->opened = 2;
  programs.add(opener);
  EXPECT_EQ(any_on(2), Answer::yes);
}

TEST_F(WritingProgramsTest, ProgramStaysUntilItsLastFileIsClosed) {
  const auto opener = program(1);
  opener->opened = 2;
  programs.add(opener);
  programs.add(program(1));
  EXPECT_EQ(any_on(2), Answer::yes);
  programs.remove(program(1));
  EXPECT_EQ(any_on(2), Answer::yes);
  programs.remove(opener);
  EXPECT_EQ(any_on(2), Answer::no);
}

TEST_F(WritingProgramsTest, CloseOfFoundProgramLooksUpTheRest) {
  const auto first = program(1);
  const auto second = program(2);
  first->opened = second->opened = 2;
  programs.add(first);
  programs.add(second);
  EXPECT_EQ(any_on(2), Answer::yes);
  EXPECT_EQ(second->asked, 0U);
  programs.remove(first);
  EXPECT_EQ(any_on(2), Answer::yes);
  EXPECT_EQ(second->asked, 1U);
}

TEST_F(WritingProgramsTest, SpentBudgetReturnsUnknown) {
  std::vector<std::shared_ptr<OnTerminal>> all;
  for (pid_t process = 1; process <= 10; ++process) {
    all.push_back(program(process, 4));
    programs.add(all.back());
  }
  unsigned budget = 25;
  EXPECT_EQ(programs.any_on(1, budget), Answer::unknown);
  EXPECT_EQ(budget, 0U);
  EXPECT_EQ(all.at(4)->asked, 1U);
  EXPECT_EQ(all.at(5)->asked, 0U);
  budget = 1000;
  EXPECT_EQ(programs.any_on(1, budget), Answer::no);
  EXPECT_EQ(budget, 1000U - 25U) << "the first five are not asked twice";
}

TEST_F(WritingProgramsTest, CloseDuringLookupRemovesProgram) {
  /// Closes its own file when it is asked.
  class Closing final : public fbemu::ClientVt {
   public:
    explicit Closing(WritingPrograms& list) : list_(list) {}
    const fbemu::ProgramId& program() const override { return program_; }
    bool has_opened(unsigned, unsigned&) const override {
      list_.remove(std::make_shared<OnTerminal>(9, 77));
      return true;
    }

   private:
    WritingPrograms& list_;
    fbemu::ProgramId program_{77, 0, 9};
  };
  programs.add(std::make_shared<Closing>(programs));
  EXPECT_EQ(any_on(2), Answer::no);
  EXPECT_EQ(any_on(9), Answer::no);
}
