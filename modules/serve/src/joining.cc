#include "joining.h"

#include <algorithm>

namespace ssync::serve {

void Joining::add(Who who) {
  waiting_.push_back(std::move(who));
  if (!who_) begin();
}

bool Joining::has(session::Peer peer) const {
  const auto is_it = [&](const Who& who) { return who.peer == peer; };
  return (who_ && is_it(*who_)) || std::ranges::any_of(waiting_, is_it);
}

std::optional<Joining::Outcome> Joining::take() {
  if (!who_ || !aside_->is_done()) return std::nullopt;
  aside_.reset();
  Outcome outcome{*std::exchange(who_, std::nullopt), std::move(entered_)};
  if (!waiting_.empty()) begin();
  return outcome;
}

void Joining::begin() {
  who_ = std::move(waiting_.front());
  waiting_.pop_front();
  aside_ = std::make_unique<Aside>(
      wake_, [this] { entered_ = enter_(who_->invitation, who_->key); },
      [this](std::string text) { entered_ = fail(Errc::io, std::move(text)); });
}

}  // namespace ssync::serve
