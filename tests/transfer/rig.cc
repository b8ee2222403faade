#include "rig.h"

#include <stdlib.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <thread>

#include "ssync/content/content.h"
#include "ssync/support/tree_nodes.h"

namespace ssync::transfer {

namespace {

void walk(fs::Tree& source, fs::Tree& mirror, const std::string& location, RowId& row, FirstCopy& into) {
  fs::NameList names;
  SSYNC_ASSERT(source.open(location).value()->list(names).has_value());
  std::vector<std::string> sorted;
  for (std::size_t i = 0; i < names.size(); ++i)
    sorted.emplace_back(names[i]);
  std::ranges::sort(sorted);
  for (const std::string& name : sorted) {
    const std::string path = join({location, name});
    Change change = change_to(Op::request, path, source, mirror);
    change.row = row++;
    if (change.wanted.kind == Kind::file) into.requests.push_back(change);
    if (change.wanted.kind == Kind::symlink) {
      change.step = Change::MakeLink{source.open(location).value()->read_link(name).value()};
      into.make.push_back(change);
    }
    if (change.wanted.kind != Kind::directory) continue;
    change.step = Change::MakeDirectory{};
    into.make.push_back(change);
    walk(source, mirror, path, row, into);
    change.step = Change::SetMetadata{};
    into.finish.push_back(change);
  }
}

std::string path_of(const Change& change) {
  return join(change.path());
}

class Pipe {
 public:
  Pipe(fs::Tree& source, fs::Tree& mirror, fs::Staging& staging, const PipeOptions& options)
      : options_(options),
        requests_(options.queue_items),
        chunks_(options.queue_items),
        events_(options.queue_items),
        reader_(source, options.reader, requests_, chunks_),
        receiver_(mirror, staging, options.receiver, events_) {}

  PipeResult run(const std::vector<Change>& changes) {
    std::jthread messages([this] { move_messages(); });
    std::jthread results([this] { take_events(); });
    for (const Change& change : changes) {
      receiver_.expect(change);
      if (!requests_.push({change.row, change.location, change.name, change.wanted,
                           std::get<Change::Request>(change.step).any_content}))
        break;
    }
    requests_.close();
    messages.join();
    if (result_.error.empty())
      receiver_.finish();
    else
      receiver_.stop();
    results.join();
    std::ranges::sort(result_.published);
    std::ranges::sort(result_.failures);
    return std::move(result_);
  }

 private:
  void move_messages() {
    while (std::optional<ReadOutput> output = chunks_.pop()) {
      if (auto* const failure = std::get_if<ReadFailure>(&*output)) {
        receiver_.fail(failure->row, {failure->row, failure->problem.vanished, failure->problem.sys_errno,
                                      failure->problem.text});
        continue;
      }
      auto& chunk = std::get<Chunk>(*output);
      if (options_.on_chunk) options_.on_chunk(chunk);
      result_.sent.insert(result_.sent.end(), chunk.finished.begin(), chunk.finished.end());
      wire::DataHead head = head_of(std::move(chunk.segments));
      result_.charged += wire::charge(wire::encode(head).size(), chunk.payload.size());
      ++result_.messages;
      const Result<void> accepted = receiver_.accept(std::move(head), std::move(chunk.payload));
      if (accepted) continue;
      result_.error = accepted.error().text();
      reader_.stop();
    }
  }

  void take_events() {
    while (std::optional<ReceiveEvent> event = events_.pop()) {
      if (auto* const published = std::get_if<Published>(&*event)) {
        for (PublishedFile& file : published->files) {
          result_.published.push_back(path_of(file.change));
          result_.files.push_back(std::move(file));
        }
      } else if (auto* const failure = std::get_if<ReceiveFailure>(&*event)) {
        result_.failures.push_back(path_of(failure->change) + ": " + failure->problem.text);
      } else {
        result_.credited += std::get<CreditReturned>(*event).bytes;
      }
    }
  }

  const PipeOptions& options_;
  BoundedQueue<ReadRequest> requests_;
  BoundedQueue<ReadOutput> chunks_;
  BoundedQueue<ReceiveEvent> events_;
  PipeResult result_;  // fields of one thread each until both are joined
  SourceReader reader_;
  Receiver receiver_;
};

}  // namespace

FirstCopy first_copy(fs::Tree& source, fs::Tree& mirror) {
  FirstCopy copy;
  RowId row = 1;
  walk(source, mirror, "", row, copy);
  std::ranges::reverse(copy.finish);
  copy.finish.push_back(change_to(Op::set_metadata, "", source, mirror));
  for (Change& change : copy.finish)
    change.at_path.reset();
  return copy;
}

PipeResult pipe(fs::Tree& source, fs::Tree& mirror, fs::Staging& staging, const std::vector<Change>& requests,
                const PipeOptions& options) {
  return Pipe(source, mirror, staging, options).run(requests);
}

PipeResult copy_tree(fs::Tree& source, fs::Tree& mirror, const PipeOptions& options) {
  const FirstCopy plan = first_copy(source, mirror);
  fs::Staging staging(mirror);
  PipeResult result;
  {
    Applier applier(mirror, staging, {options.receiver.attributes, Durable::no});
    const auto apply = [&](const Change& change) {
      const Applied applied = applier.apply(change, {}).value();
      if (applied.state != Applied::State::done)
        result.failures.push_back(path_of(change) + ": " + applied.problem.text);
    };
    for (const Change& change : plan.make)
      apply(change);
    const std::vector<std::string> failures = result.failures;
    result = pipe(source, mirror, staging, plan.requests, options);
    result.failures.insert(result.failures.end(), failures.begin(), failures.end());
    SSYNC_ASSERT(staging.remove().has_value());
    for (const Change& change : plan.finish)
      apply(change);
  }
  return result;
}

wire::DataHead head_of(std::vector<wire::Segment> segments) {
  wire::DataHead head;
  head.segments = std::move(segments);
  return head;
}

Buffer payload_of(std::string_view text) {
  return Buffer::copy_of(std::as_bytes(std::span(text)));
}

wire::Segment piece(RowId row, std::uint64_t offset, std::string_view text) {
  return {.row = row, .offset = offset, .length = static_cast<std::uint32_t>(text.size())};
}

wire::Segment whole(RowId row, std::string_view text, FileTime mtime) {
  content::ContentHash hash;
  hash.add(std::as_bytes(std::span(text)));
  wire::Segment segment = piece(row, 0, text);
  segment.last = true;
  segment.ending = {text.size(), mtime, hash.checksum()};
  return segment;
}

}  // namespace ssync::transfer
