#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "fbemu/frontend/client_vt.h"

namespace fbemu {

/// The programs that have the framebuffer open for writing: one entry each, however many files a program has
/// open, and what is known of their terminals. Files come and go on the front end's threads, in a time that
/// does not grow with their number; the presenter's thread asks. Thread-safe.
class WritingPrograms {
 public:
  using Terminal = std::shared_ptr<const ClientVt>;
  enum class Answer {
    yes,
    no,
    unknown  ///< the budget is spent, and programs are left to be asked
  };

  WritingPrograms() = default;
  WritingPrograms(const WritingPrograms&) = delete;
  WritingPrograms& operator=(const WritingPrograms&) = delete;
  ~WritingPrograms() = default;

  /// Adds an open file. A program that is known already is asked anew. Null: a program on every terminal.
  void add(const Terminal& terminal);
  /// Takes an open file away that add() got.
  void remove(const Terminal& terminal);

  /// Drops all answers; the next any_on() asks every program anew.
  void ask_anew();
  /// Returns whether any program belongs to the terminal `front`. The terminals where programs started are
  /// known; for others each program is asked once, until `budget` (as has_opened() has it) is spent.
  [[nodiscard]] Answer any_on(unsigned front, unsigned& budget);

 private:
  struct Program {
    Terminal terminal;
    unsigned files = 0;
    unsigned asked_in = 0;  ///< the round in which it was asked last; if that is round_, it is in asked_
    unsigned seen_in = 0;   ///< the round in which the answer was yes
  };
  using Programs = std::list<Program>;

  [[nodiscard]] bool any_home_is(std::optional<unsigned> terminal) const;
  [[nodiscard]] bool any_seen_on(unsigned front) const;
  void start_round();

  std::mutex mutex_;  ///< not held while a program is asked
  std::map<ProgramId, Programs::iterator> by_id_;
  Programs to_ask_;
  Programs asked_;
  std::map<std::optional<unsigned>, unsigned> homes_;  ///< how many programs have each
  unsigned front_ = 0;
  unsigned round_ = 1;
  unsigned seen_ = 0;  ///< programs that answered yes in this round
};

}  // namespace fbemu
