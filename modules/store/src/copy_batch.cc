#include "copy_batch.h"

namespace ssync::store {

void CopyBatch::add(Copy copy) {
  bytes_ += copy.change.wanted.size;
  changing_.insert(join(copy.change.path()));
  if (const Change::From* const from = copy.change.from()) {
    auto& froms = copy.remove_from == RemoveFrom::yes ? changing_ : read_;
    froms.insert(join(from->path()));
  }
  copies_.push_back(std::move(copy));
}

std::vector<CopyBatch::Copy> CopyBatch::take() {
  bytes_ = 0;
  changing_.clear();
  read_.clear();
  return std::exchange(copies_, {});
}

bool CopyBatch::must_come_before(const Change& change) const {
  if (copies_.empty()) return false;
  switch (change.op()) {
    case Op::rename_directory:
    case Op::remove:
    case Op::remove_directory:
      return true;
    default:
      break;
  }
  const std::string path = join(change.path());
  if (changing_.contains(path) || read_.contains(path)) return true;
  const Change::From* const from = change.from();
  return from != nullptr && changing_.contains(join(from->path()));
}

}  // namespace ssync::store
