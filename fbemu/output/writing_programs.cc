#include "fbemu/output/writing_programs.h"

namespace fbemu {

using base::MutexLock;

namespace {

/// A program that belongs to every terminal is never asked.
ProgramId id_of(const WritingPrograms::Terminal& terminal) {
  return terminal == nullptr ? ProgramId{} : terminal->program();
}

}  // namespace

void WritingPrograms::add(const Terminal& terminal) {
  const ProgramId id = id_of(terminal);
  const MutexLock lock(mutex_);
  const auto known = by_id_.find(id);
  if (known == by_id_.end()) {
    // What may fail for want of memory comes before the first change.
    unsigned& programs_at_home = homes_[id.home];
    Programs added;
    added.push_back({terminal, 1});
    by_id_.emplace(id, added.begin());
    to_ask_.splice(to_ask_.end(), added);
    ++programs_at_home;
    return;
  }
  const Programs::iterator program = known->second;
  ++program->files;
  if (program->seen_in == round_ || program->asked_in != round_) return;
  program->asked_in = 0;
  to_ask_.splice(to_ask_.end(), asked_, program);
}

void WritingPrograms::remove(const Terminal& terminal) {
  const ProgramId id = id_of(terminal);
  const MutexLock lock(mutex_);
  const auto known = by_id_.find(id);
  if (known == by_id_.end()) return;
  const Programs::iterator program = known->second;
  if (--program->files > 0) return;
  if (program->seen_in == round_) --seen_;
  --homes_[id.home];
  by_id_.erase(known);
  (program->asked_in == round_ ? asked_ : to_ask_).erase(program);
}

void WritingPrograms::ask_anew() {
  const MutexLock lock(mutex_);
  start_round();
}

void WritingPrograms::start_round() {
  ++round_;
  seen_ = 0;
  to_ask_.splice(to_ask_.end(), asked_);
}

bool WritingPrograms::any_home_is(std::optional<unsigned> terminal) const {
  const auto home = homes_.find(terminal);
  return home != homes_.end() && home->second > 0;
}

bool WritingPrograms::any_seen_on(unsigned front) const {
  return seen_ > 0 || any_home_is(front) || any_home_is(std::nullopt);
}

WritingPrograms::Answer WritingPrograms::any_on(unsigned front, unsigned& budget) {
  MutexLock lock(mutex_);
  if (front_ != front) start_round();
  front_ = front;
  while (!any_seen_on(front)) {
    if (to_ask_.empty()) return Answer::no;
    if (budget == 0) return Answer::unknown;
    const Terminal terminal = to_ask_.front().terminal;
    to_ask_.front().asked_in = round_;
    asked_.splice(asked_.end(), to_ask_, to_ask_.begin());
    lock.unlock();
    const bool seen = terminal->has_opened(front, budget);
    lock.lock();
    // Its last file may have been closed meanwhile.
    const auto known = seen ? by_id_.find(terminal->program()) : by_id_.end();
    if (known == by_id_.end() || known->second->seen_in == round_) continue;
    known->second->seen_in = round_;
    ++seen_;
  }
  return Answer::yes;
}

}  // namespace fbemu
