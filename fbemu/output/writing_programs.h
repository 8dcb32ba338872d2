#pragma once

#include <list>
#include <map>
#include <memory>
#include <optional>

#include "base/mutex.h"
#include "fbemu/frontend/client_vt.h"

namespace fbemu {

/// The programs that have the framebuffer open for writing, with their VTs: one entry for each program,
/// however many files it has open. The front end's threads add and remove files in constant time; the
/// presenter's thread queries. Thread-safe.
class WritingPrograms {
 public:
  using Terminal = std::shared_ptr<const ClientVt>;
  enum class Answer {
    yes,
    no,
    unknown  ///< the budget is spent before all programs were looked up
  };

  WritingPrograms() = default;
  WritingPrograms(const WritingPrograms&) = delete;
  WritingPrograms& operator=(const WritingPrograms&) = delete;
  ~WritingPrograms() = default;

  /// Adds an open file. A known program is looked up again. Null is a program on every VT.
  void add(const Terminal& terminal) BASE_EXCLUDES(mutex_);
  /// Removes an open file that was added.
  void remove(const Terminal& terminal) BASE_EXCLUDES(mutex_);

  /// Drops all answers; the next any_on() looks up every program again.
  void ask_anew() BASE_EXCLUDES(mutex_);
  /// Returns whether a program belongs to the VT `active`. The VTs on which programs started are known. For
  /// other VTs each program is looked up once, until `budget` (see ClientVt::has_opened()) is spent.
  [[nodiscard]] Answer any_on(unsigned front, unsigned& budget) BASE_EXCLUDES(mutex_);

 private:
  struct Program {
    Terminal terminal;
    unsigned files = 0;
    unsigned asked_in = 0;  ///< the round of the last lookup; if it is round_, the program is in asked_
    unsigned seen_in = 0;   ///< the round of the last positive lookup
  };
  using Programs = std::list<Program>;

  [[nodiscard]] bool any_home_is(std::optional<unsigned> terminal) const BASE_REQUIRES(mutex_);
  [[nodiscard]] bool any_seen_on(unsigned front) const BASE_REQUIRES(mutex_);
  void start_round() BASE_REQUIRES(mutex_);

  base::Mutex mutex_;  ///< not held during a lookup
  std::map<ProgramId, Programs::iterator> by_id_ BASE_GUARDED_BY(mutex_);
  Programs to_ask_ BASE_GUARDED_BY(mutex_);
  Programs asked_ BASE_GUARDED_BY(mutex_);
  /// The number of programs by the VT on which they started.
  std::map<std::optional<unsigned>, unsigned> homes_ BASE_GUARDED_BY(mutex_);
  unsigned front_ BASE_GUARDED_BY(mutex_) = 0;
  unsigned round_ BASE_GUARDED_BY(mutex_) = 1;
  unsigned seen_ BASE_GUARDED_BY(mutex_) = 0;  ///< programs found on the active VT in this round
};

}  // namespace fbemu
