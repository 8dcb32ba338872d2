#pragma once

#include <atomic>
#include <cerrno>
#include <memory>
#include <utility>

#include "base/result.h"
#include "cuse/session/request.h"
#include "cuse/session/work_queue.h"

namespace cuse {

/// An answer that any thread gives after the handler of its request has returned. It is made when the request
/// arrives, so giving it needs no memory. The session's threads send it.
class LateAnswer : public Work, public std::enable_shared_from_this<LateAnswer> {
 public:
  /// `session` is the mailbox of the session that received the request.
  explicit LateAnswer(std::shared_ptr<Mailbox> session) : session_(std::move(session)) {}

  /// Takes the duty to answer from the handler. Call it before other threads can give the answer.
  void take_over(Request& request) { request_ = request.take(); }
  /// Answers with `result`, unless an answer was given before.
  void give(const base::Result<void>& result) noexcept {
    if (request_ == nullptr || given_.exchange(true)) return;
    result_ = result;
    session_->post(shared_from_this());
  }
  /// Does the same on a thread of the session, and sends the answer at once.
  void give_here(const base::Result<void>& result) noexcept {
    if (request_ != nullptr && !given_.exchange(true)) send(request_, result);
  }
  [[nodiscard]] bool given() const { return given_; }

 protected:
  /// Sends the answer, on one of the session's threads.
  virtual void send(fuse_req_t request, const base::Result<void>& result) noexcept = 0;

 private:
  void run() final { send(request_, result_); }

  std::shared_ptr<Mailbox> session_;
  fuse_req_t request_ = nullptr;
  base::Result<void> result_;
  std::atomic<bool> given_{false};
};

/// The duty to answer. Its destructor answers EIO if no answer was given, so that dropped work does not leave
/// a program waiting.
class AnswerDuty {
 public:
  explicit AnswerDuty(std::shared_ptr<LateAnswer> answer) : answer_(std::move(answer)) {}
  AnswerDuty(const AnswerDuty&) = delete;
  AnswerDuty& operator=(const AnswerDuty&) = delete;
  ~AnswerDuty() { answer_->give(base::failure(EIO)); }

  void give(const base::Result<void>& result) noexcept { answer_->give(result); }
  [[nodiscard]] bool given() const { return answer_->given(); }

 private:
  std::shared_ptr<LateAnswer> answer_;
};

}  // namespace cuse
