#include "answers.h"

#include <utility>

namespace ssync::source {
namespace {

/// Answers go out in messages of so many rows, or with the last one asked for, or when one has waited long
/// enough: a message a file costs more than its hash.
constexpr std::size_t kBatch = 512;
/// As long as the readers have more to read, the owner is woken for so many results at once: waking it for
/// each costs as much as reading a small file does.
constexpr std::size_t kResultsAtOnce = 32;

}  // namespace

Answers::Answers(fs::Tree& tree, const Capacities& capacities, std::function<void()> wake)
    : tree_(tree), jobs_(capacities.content_jobs), results_(capacities.content_results) {
  results_.on_item([this, wake] {
    if (jobs_.size() == 0 || results_.size() >= kResultsAtOnce) wake();
  });
  jobs_.on_space(std::move(wake));
}

Answers::~Answers() {
  stop();
}

void Answers::stop() noexcept {
  if (readers_) readers_->stop();
  jobs_.close();
  results_.close();
}

void Answers::ask(RowId row, std::optional<DigestKind> digest) {
  questions_.push_back({row, digest});
  ++open_;
}

Result<void> Answers::pump(Listing& list) {
  if (!questions_.empty() && !readers_) {
    readers_ = std::make_unique<content::ContentReaders>(
        tree_, ThreadCounts{2, content::ContentReaders::kThreadsWaiting}, jobs_,
        [this](content::ContentResult result) {
          (void)results_.push(std::move(result));  // false: the sync is over
        });
  }
  for (; !questions_.empty(); questions_.pop_front()) {
    const Question& question = questions_.front();
    const Snapshot::View view = *list.row(question.row);  // whoever asked has looked
    content::ContentJob job;
    job.id = question.row;
    job.location = view.location;
    job.name = view.name;
    job.digest = question.digest;
    if (jobs_.try_push(job) != PushResult::pushed) break;
  }
  while (rows_.size() < kBatch) {
    const std::optional<content::ContentResult> result = results_.try_pop();
    if (!result) break;
    --open_;
    wire::DigestRow row;
    row.row = result->id;
    if (result->content) {
      row.checksum = result->content->checksum;
      row.digest = result->content->digest;
      SSYNC_TRY_VOID(list.learned(result->id, *result->content));
    } else if (result->content.error().code == Errc::lost) {
      return fail(result->content.error());
    }
    if (rows_.empty()) since_ = Clock::now();
    rows_.push_back(row);
  }
  return {};
}

std::vector<wire::DigestRow> Answers::take_due() {
  const bool due = rows_.size() >= kBatch || open_ == 0 || Clock::now() - since_ >= kWait;
  return due ? std::exchange(rows_, {}) : std::vector<wire::DigestRow>();
}

}  // namespace ssync::source
