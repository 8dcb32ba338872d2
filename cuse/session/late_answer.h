#pragma once

#include <atomic>
#include <cerrno>
#include <memory>
#include <utility>

#include "cuse/session/request.h"
#include "cuse/session/work_queue.h"

namespace cuse {

/// An answer that is given after the handler of its request has returned, by any thread. It is made when the
/// request comes, so giving it cannot fail for want of memory. The session's threads send it.
class LateAnswer : public Work, public std::enable_shared_from_this<LateAnswer> {
 public:
  /// `session` is the mailbox of the session that the request came from.
  explicit LateAnswer(std::shared_ptr<Mailbox> session) : session_(std::move(session)) {}

  /// Takes the duty to answer over from the handler; called before others can give the answer.
  void take_over(Request& request) { request_ = request.take(); }
  /// Answers with a result (0 or more, or a negative errno), unless another one was given before.
  void give(int result) noexcept {
    if (request_ == nullptr || given_.exchange(true)) return;
    result_ = result;
    session_->post(shared_from_this());
  }
  /// As give(), on a thread of the session, which sends it itself.
  void give_here(int result) noexcept {
    if (request_ != nullptr && !given_.exchange(true)) send(request_, result);
  }
  [[nodiscard]] bool given() const { return given_; }

 protected:
  /// Runs on one of the session's threads.
  virtual void send(fuse_req_t request, int result) noexcept = 0;

 private:
  void run() final { send(request_, result_); }

  std::shared_ptr<Mailbox> session_;
  fuse_req_t request_ = nullptr;
  int result_ = 0;
  std::atomic<bool> given_{false};
};

/// Gives EIO at its end if no other answer was given: work that is lost must not leave its program waiting.
class AnswerDuty {
 public:
  explicit AnswerDuty(std::shared_ptr<LateAnswer> answer) : answer_(std::move(answer)) {}
  AnswerDuty(const AnswerDuty&) = delete;
  AnswerDuty& operator=(const AnswerDuty&) = delete;
  ~AnswerDuty() { answer_->give(-EIO); }

  void give(int result) noexcept { answer_->give(result); }
  [[nodiscard]] bool given() const { return answer_->given(); }

 private:
  std::shared_ptr<LateAnswer> answer_;
};

}  // namespace cuse
