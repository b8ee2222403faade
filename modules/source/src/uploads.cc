#include "uploads.h"

#include <string>
#include <utility>

namespace ssync::source {

Uploads::Uploads(fs::Tree& tree, const Capacities& capacities, std::function<void()> wake)
    : tree_(tree), reads_(capacities.reads), chunks_(capacities.chunks) {
  chunks_.on_item(wake);
  reads_.on_space(std::move(wake));
}

Uploads::~Uploads() {
  stop();
}

void Uploads::stop() noexcept {
  if (reader_) reader_->stop();
  reads_.close();
  chunks_.close();
}

void Uploads::request(RowId row, bool any_content) {
  requests_.push_back({row, any_content});
}

void Uploads::pump(const Listing& list) {
  if (!requests_.empty() && !reader_)
    reader_ =
        std::make_unique<transfer::SourceReader>(tree_, transfer::SourceReader::Options{}, reads_, chunks_);
  for (; !requests_.empty(); requests_.pop_front()) {
    const Request next = requests_.front();
    const Snapshot::View view = *list.row(next.row);  // whoever requested it has looked
    transfer::ReadRequest request{next.row, std::string(view.location), std::string(view.name), view.values,
                                  next.any_content};
    if (reads_.try_push(request) != PushResult::pushed) return;
  }
}

}  // namespace ssync::source
