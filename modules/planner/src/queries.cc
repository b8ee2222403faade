#include "queries.h"

#include <utility>

namespace ssync::planner {

void Queries::ask(Query query, Subject subject) {
  query.id = next_id_++;
  open_.emplace(query.id, subject);
  untaken_.push_back(std::move(query));
}

std::vector<Query> Queries::take() {
  return std::exchange(untaken_, {});
}

std::optional<Subject> Queries::close(std::uint64_t id) {
  const auto at = open_.find(id);
  if (at == open_.end()) return std::nullopt;
  const Subject subject = at->second;
  open_.erase(at);
  return subject;
}

}  // namespace ssync::planner
