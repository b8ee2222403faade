#include "ssync/store/applier.h"

#include <map>
#include <utility>
#include <variant>

#include "ssync/base/overload.h"
#include "ssync/store/attributes.h"
#include "ssync/store/placing.h"

#include "copy_batch.h"
#include "directory_move.h"

namespace ssync::store {
namespace {

using Progress = std::function<bool(std::uint64_t)>;
using State = Applied::State;

/// For steps that make a new name: says that it is taken, rather than the system's words.
Result<void> on_free_path(std::string_view operation, Result<void> made) {
  if (!made && made.error().code == Errc::already_exists) return taken_on_mirror();
  return named(operation, std::move(made));
}

bool is_shared_file(const fs::Stat& stat) {
  return stat.type == fs::Stat::Type::file && stat.seen.links > 1;
}

}  // namespace

struct Applier::Impl {
  Impl(fs::Tree& in, fs::Staging& staging, const Options& options)
      : tree(in),
        durable(options.durable),
        placing(in, staging, rules_of(in, options.attributes), other_devices),
        rules(placing.rules()),
        waiting({options.batch_bytes, options.batch_files}) {}

  // The steps. State::stale: the content is not there as planned.

  Result<State> run(const Change& change, const Progress& progress) {
    return std::visit(
        Overload{
            [&](const Change::MakeDirectory&) { return done(make_directory(change)); },
            [&](const Change::MakeLink& step) { return done(make_link(change, step.target)); },
            [&](const Change::MakeEmpty&) { return done(make_empty(change)); },
            [&](const Change::Copy& step) { return copy(change, step.from, progress); },
            [&](const Change::Rename& step) {
              return step.respells ? done(respell(change, step.from)) : rename(change, step.from, progress);
            },
            [&](const Change::RenameDirectory& step) {
              return done(rename_directory(change, step.from, progress));
            },
            [&](const Change::Exchange& step) { return exchange(change, step); },
            [&](const Change::StageRename& step) { return stage_rename(change, step.from, progress); },
            [&](const Change::StageCopy& step) { return stage_copy(change, step.from, progress); },
            [&](const Change::PublishStaged&) { return publish_staged(change, progress); },
            [&](const Change::Remove&) { return done(remove_seen(change.path(), change.at_path)); },
            [&](const Change::RemoveDirectory&) { return done(remove_directory(change)); },
            [&](const Change::SetMetadata& step) { return set_metadata(change, step, progress); },
            [](const Change::Request&) -> Result<State> { SSYNC_ASSERT(false); },  // the receiver's
        },
        change.step);
  }

  static Result<State> done(Result<void> result) {
    if (!result) return fail(std::move(result).error());
    return State::done;
  }

  Result<void> make_directory(const Change& change) {
    SSYNC_TRY(fs::Directory* const directory, open(change.location));
    SSYNC_TRY_VOID(on_free_path("make directory", with_writable(*directory, [&] {
                                  // Set-id bits would be handed down to what comes into it before the final
                                  // pass.
                                  return directory->make_directory(change.name, change.wanted.mode & 0777U);
                                })));
    placing.give_group(*directory, change.location, change.name);
    return {};
  }

  Result<void> make_link(const Change& change, const std::string& target) {
    if (!change.at_path) return make_link_in_place(change, target);
    SSYNC_TRY(const Staged staged, placing.create_link(target));
    Result<void> placed = [&]() -> Result<void> {
      SSYNC_TRY(fs::Directory* const directory, placing.staging());
      placing.give_group(*directory, change.location, staged.slot);
      SSYNC_TRY_VOID(adjust(*directory, staged.slot, change.wanted));
      return placing.publish(staged, change.path(), change.at_path);
    }();
    if (!placed) placing.drop(staged, change.location);
    return placed;
  }

  Result<void> make_link_in_place(const Change& change, const std::string& target) {
    SSYNC_TRY(fs::Directory* const directory, open(change.location));
    SSYNC_TRY_VOID(on_free_path(
        "make link", with_writable(*directory, [&] { return directory->make_link(change.name, target); })));
    placing.give_group(*directory, change.location, change.name);
    Result<void> adjusted = adjust(*directory, change.name, change.wanted);
    if (!adjusted) placing.drop({change.name, true}, change.location);
    return adjusted;
  }

  Result<void> make_empty(const Change& change) {
    SSYNC_TRY(fs::Directory* const directory, open(change.location));
    Result<NewFile> made = change.at_path
                               ? placing.create(change.location, change.wanted)
                               : placing.create_at(*directory, change.location, change.name, change.wanted);
    if (!made && made.error().code == Errc::already_exists) return taken_on_mirror();
    if (!made) return fail(made.error());
    Result<void> placed = placing.finish(*made, change.wanted);
    if (placed && change.at_path) placed = placing.publish(made->at, change.path(), change.at_path);
    if (!placed) placing.drop(made->at, change.location);
    return placed;
  }

  Result<State> copy(const Change& change, const Change::From& from, const Progress& progress) {
    SSYNC_TRY(const std::optional<Staged> staged, copy_to_staging(aim_of(change), from, progress));
    if (!staged) return State::stale;
    return place_copy({change, *staged});
  }

  Result<State> rename(const Change& change, const Change::From& from, const Progress& progress) {
    SSYNC_TRY(const std::optional<fs::Stat> found, find(from.path(), from.seen));
    if (!found) return State::stale;
    // rename(2) between two names of one file does nothing at all.
    const bool same_file = change.at_path && same_entry(*change.at_path, found->seen, rules.stable_inodes);
    if (is_shared_file(*found) && (same_file || attributes_differ(change.wanted, *found, rules.attributes))) {
      return copy_and_remove(change, from, progress);
    }
    SSYNC_TRY(fs::Directory* const old, open(from.location));
    SSYNC_TRY(fs::Directory* const to, open(change.location));
    Result<void> moved = placing.move(*old, from.name, *to, change.name, change.at_path);
    if (!moved && moved.error().code == Errc::cross_device && found->type == fs::Stat::Type::file) {
      return copy_and_remove(change, from, progress);
    }
    if (!moved) return fail(std::move(moved).error());
    if (change.location != from.location)
      placing.give_group(*to, change.location, change.name, Placing::Came::moved);
    return done(adjust(*to, change.name, change.wanted));
  }

  /// Changes the letters of a name only. If the entry is gone, nothing is wrong: a later step brings its
  /// content.
  Result<void> respell(const Change& change, const Change::From& from) {
    SSYNC_TRY(const std::optional<fs::Stat> found, find_entry(from.path(), from.seen));
    if (!found) return {};
    SSYNC_TRY(fs::Directory* const directory, open(change.location));
    return placing.move(*directory, from.name, *directory, change.name, std::nullopt);
  }

  Result<State> copy_and_remove(const Change& change, const Change::From& from, const Progress& progress) {
    SSYNC_TRY(const std::optional<Staged> staged, copy_to_staging(aim_of(change), from, progress));
    if (!staged) return State::stale;
    return place_copy({change, *staged, RemoveFrom::yes});
  }

  /// Gives a staged copy its name: at once, or, durable, when its content is on disk.
  Result<State> place_copy(CopyBatch::Copy copy) {
    if (durable == Durable::no) return done(publish_copy(copy));
    waiting.add(std::move(copy));
    return State::waits;
  }

  Result<void> publish_copy(const CopyBatch::Copy& copy) {
    const Change& change = copy.change;
    Result<void> placed = placing.publish(copy.staged, change.path(), change.at_path);
    if (!placed) placing.drop(copy.staged, change.location);
    const Change::From* const from = change.from();
    if (placed && copy.part_of_move) {
      SSYNC_TRY(const std::optional<fs::Stat> made, look(change.path()));
      if (made && from->seen) remade.add(change.name, *from->seen, made->seen);
    }
    if (!placed || copy.remove_from == RemoveFrom::no) return placed;
    return remove_seen(from->path(), from->seen);
  }

  /// Content is flushed before names are given, and names before anybody is told: so after a crash a name has
  /// all of its content. Returns the first failure among copies that are part of a directory's move.
  Result<void> name_copies() {
    if (waiting.empty()) return {};
    Result<void> parts;
    std::vector<CopyBatch::Copy> copies = waiting.take();
    const Result<void> flushed = flush();
    std::vector<Result<void>> placed;
    placed.reserve(copies.size());
    for (const CopyBatch::Copy& copy : copies) {
      placed.push_back(flushed ? publish_copy(copy) : flushed);
      if (!flushed) placing.drop(copy.staged, copy.change.location);
    }
    const Result<void> named_on_disk = flushed ? flush() : flushed;
    for (std::size_t i = 0; i < copies.size(); ++i) {
      const Result<void>& outcome = placed[i] ? named_on_disk : placed[i];
      if (copies[i].part_of_move) {
        if (parts && !outcome) parts = outcome;
        continue;
      }
      Change& change = copies[i].change;
      Applied applied;
      if (!outcome) applied = {State::problem, problem_at(change.path(), change.row, outcome.error())};
      ended.push_back({std::move(change), std::move(applied)});
    }
    return parts;
  }

  Result<void> flush() {
    SSYNC_TRY_VOID(named("flush", tree.sync()));
    staged_is_flushed = true;
    return {};
  }

  Result<void> rename_directory(const Change& change, const Change::From& from, const Progress& progress) {
    SSYNC_TRY(const std::optional<fs::Stat> found, find(from.path(), from.seen));
    if (!found || found->type != fs::Stat::Type::directory) return changed_meanwhile();
    Result<void> moved = DirectoryMove::rename(placing, from.path(), change.path(), *found);
    if (moved || moved.error().code != Errc::cross_device) return moved;
    moved_in_parts = true;
    DirectoryMove by_parts(
        placing, remade, [&](Change part) { return move_part(std::move(part), progress); },
        [this] { return name_copies(); });
    return by_parts.run(join(from.path()), join(change.path()));
  }

  /// Moves one file by copying it. If that fails it stays where it is; a later step does not find it at its
  /// new path, and it is requested.
  Result<void> move_part(Change part, const Progress& progress) {
    SSYNC_TRY(const std::optional<Staged> staged, copy_to_staging(aim_of(part), *part.from(), progress));
    if (!staged) return changed_meanwhile();
    SSYNC_TRY_VOID(place_copy({std::move(part), *staged, RemoveFrom::yes, true}));
    return waiting.is_full() ? name_copies() : Result<void>();
  }

  Result<State> exchange(const Change& change, const Change::Exchange& step) {
    const PathView from = step.from.path();
    SSYNC_TRY(const std::optional<fs::Stat> at_path, find(change.path(), change.at_path));
    SSYNC_TRY(const std::optional<fs::Stat> at_from, find(from, step.from.seen));
    if (!at_path || !at_from) return State::stale;
    SSYNC_TRY(fs::Directory* const old, open(from.location));
    SSYNC_TRY(fs::Directory* const to, open(change.location));
    Result<void> swapped = with_writable(*old, [&] {
      return with_writable(*to,
                           [&] { return old->rename(from.name, *to, change.name, fs::Replace::exchange); });
    });
    if (!swapped && swapped.error().code == Errc::unsupported)
      swapped = exchange_by_staging(*old, from.name, *to, change.name);
    if (!swapped && swapped.error().code == Errc::cross_device)
      return exchange_by_copying(change, step, at_path->seen, at_from->seen);
    SSYNC_TRY_VOID(named("exchange", std::move(swapped)));
    SSYNC_TRY_VOID(make_right_at_once(change, change.path(), change.wanted));
    if (!step.other) return State::done;
    return done(make_right_at_once(change, from, step.other->wanted));
  }

  /// Exchanges in three renames. A crash in between leaves `path` missing, and the next sync makes it again.
  Result<void> exchange_by_staging(fs::Directory& from, std::string_view from_name, fs::Directory& to,
                                   std::string_view to_name) {
    SSYNC_TRY(const Staged aside, placing.take(to, to_name));
    SSYNC_TRY(fs::Directory* const staging, placing.staging());
    if (Result<void> moved = from.rename(from_name, to, to_name, fs::Replace::no); !moved) {
      static_cast<void>(staging->rename(aside.slot, to, to_name, fs::Replace::no));
      return moved;
    }
    return staging->rename(aside.slot, from, from_name, fs::Replace::no);
  }

  Result<State> exchange_by_copying(const Change& change, const Change::Exchange& step, const Seen& at_path,
                                    const Seen& at_from) {
    const PathView from = step.from.path();
    const bool is_on_its_way = !step.other;  // in a ring: the next step takes it from there
    const Aim back{from.location, is_on_its_way ? at_path.values : step.other->wanted};
    SSYNC_TRY(const std::optional<Staged> there, copy_to_staging(aim_of(change), from, at_from, {}));
    if (!there) return State::stale;
    SSYNC_TRY(const std::optional<Staged> here, copy_to_staging(back, change.path(), at_path, {}));
    if (!here) placing.drop(*there, change.location);
    if (!here) return State::stale;
    if (durable == Durable::yes) SSYNC_TRY_VOID(flush());
    SSYNC_TRY_VOID(placing.publish(*there, change.path(), at_path));
    SSYNC_TRY_VOID(placing.publish(*here, from, at_from));
    if (is_on_its_way) {
      SSYNC_TRY(const std::optional<fs::Stat> now, look(from));
      if (now) remade.add(from.name, at_path, now->seen);
    }
    return State::done;
  }

  Result<State> stage_rename(const Change& change, const Change::From& from, const Progress& progress) {
    SSYNC_TRY(const std::optional<fs::Stat> found, find(from.path(), from.seen));
    if (!found) return State::stale;
    SSYNC_TRY(fs::Directory* const old, open(from.location));
    Result<Staged> taken = placing.take(*old, from.name);
    if (taken) {
      for_later[join(change.path())] = *std::move(taken);
      return State::done;
    }
    if (taken.error().code != Errc::cross_device) return fail(std::move(taken).error());
    SSYNC_TRY(const State copied, stage_copy(change, from, progress));
    if (copied != State::done) return copied;
    return done(remove_seen(from.path(), from.seen));
  }

  Result<State> stage_copy(const Change& change, const Change::From& from, const Progress& progress) {
    SSYNC_TRY(std::optional<Staged> copied, copy_to_staging(aim_of(change), from, progress));
    if (!copied) return State::stale;
    staged_is_flushed = false;
    for_later[join(change.path())] = *std::move(copied);
    return State::done;
  }

  Result<State> publish_staged(const Change& change, const Progress& progress) {
    const auto found = for_later.find(join(change.path()));
    if (found == for_later.end()) return State::stale;
    const Staged content = found->second;
    if (!content.beside) {
      SSYNC_TRY(fs::Directory* const directory, placing.staging());
      SSYNC_TRY(const fs::Stat stat, named("stat", directory->stat(content.slot)));
      if (is_shared_file(stat) && attributes_differ(change.wanted, stat, rules.attributes)) {
        SSYNC_TRY(const auto file, named("open", directory->open_file(content.slot)));
        SSYNC_TRY(std::optional<Staged> own, copy_file(*file, aim_of(change), stat, progress));
        if (!own) return State::stale;
        placing.drop(content, change.location);
        for_later.erase(found);
        return place_copy({change, *std::move(own)});
      }
      placing.give_group(*directory, change.location, content.slot, Placing::Came::moved);
      SSYNC_TRY_VOID(adjust_attributes(*directory, content.slot, change.wanted, stat, rules.attributes));
    }
    // One flush for all: copies are staged before the first of them is published.
    if (durable == Durable::yes && !staged_is_flushed) SSYNC_TRY_VOID(flush());
    SSYNC_TRY_VOID(placing.publish(content, change.path(), change.at_path));
    for_later.erase(found);
    return State::done;
  }

  Result<void> remove_directory(const Change& change) {
    SSYNC_TRY(const std::optional<fs::Stat> found, find_entry(change.path(), change.at_path));
    if (!found) return {};
    SSYNC_TRY(fs::Directory* const directory, open(change.location));
    placing.directories().forget(join(change.path()));
    Result<void> removed =
        named("remove directory",
              with_writable(*directory, [&] { return directory->remove_directory(change.name); }));
    if (removed) return removed;
    const auto with_remedy = [&](std::string_view remedy) {
      return fail(removed.error().code, removed.error().text().append(": ").append(remedy));
    };
    if (removed.error().code == Errc::busy)
      return with_remedy("something is mounted there; unmount it, or give the source a directory there");
    if (removed.error().code == Errc::not_empty)
      return with_remedy("something in it could not be removed, came meanwhile, or is mounted below");
    return removed;
  }

  Result<State> set_metadata(const Change& change, const Change::SetMetadata& step,
                             const Progress& progress) {
    SSYNC_TRY(const std::optional<fs::Stat> found, find(change.path(), change.at_path));
    if (!found && moved_in_parts && change.wanted.kind == Kind::file) return State::stale;
    if (!found) return changed_meanwhile();
    if (step.purpose == Change::SetMetadata::Purpose::record) return State::done;
    SSYNC_TRY(auto own, make_right(change, change.path(), change.wanted, *found, progress));
    if (!own) return State::done;
    return place_copy(*std::move(own));
  }

  // What the steps are made of.

  /// What a copy is for: the directory that it goes to, and what it is to be there.
  struct Aim {
    std::string_view location;
    const Values& wanted;
  };
  static Aim aim_of(const Change& change) { return {change.location, change.wanted}; }

  Result<fs::Directory*> open(std::string_view location) {
    return named("open directory", placing.directories().open(location));
  }

  /// The stat of what stands at `path`; the root's own when both parts are empty. nullopt: nothing is there.
  Result<std::optional<fs::Stat>> look(PathView path) {
    Result<fs::Stat> stat = [&]() -> Result<fs::Stat> {
      SSYNC_TRY(fs::Directory* const directory, open(path.location));
      return path.name.empty() ? directory->stat_self() : directory->stat(path.name);
    }();
    if (!stat && stat.error().code == Errc::not_found) return std::nullopt;
    if (!stat) return fail(failed_to("stat", stat.error()));
    return *stat;
  }

  /// nullopt: it is not there, or its content is not what `expected` saw.
  Result<std::optional<fs::Stat>> find(PathView path, const std::optional<Seen>& expected) {
    SSYNC_TRY(std::optional<fs::Stat> found, look(path));
    if (found && expected && !same_content(*expected, found->seen, rules.stable_inodes)) return std::nullopt;
    return found;
  }

  /// nullopt: it is not there. Another entry there is Errc::changed.
  Result<std::optional<fs::Stat>> find_entry(PathView path, const std::optional<Seen>& expected) {
    SSYNC_TRY(const std::optional<fs::Stat> found, look(path));
    if (found && (!expected || !same_entry(*expected, found->seen, rules.stable_inodes)))
      return changed_meanwhile();
    return found;
  }

  Result<void> remove_seen(PathView path, const std::optional<Seen>& expected) {
    SSYNC_TRY(const std::optional<fs::Stat> found, find_entry(path, expected));
    if (!found) return {};
    SSYNC_TRY(fs::Directory* const directory, open(path.location));
    return named("remove", with_writable(*directory, [&] { return directory->remove(path.name); }));
  }

  Result<std::optional<Staged>> copy_to_staging(Aim aim, const Change::From& from, const Progress& progress) {
    return copy_to_staging(aim, from.path(), from.seen, progress);
  }

  /// nullopt: `from` is not what `expected` saw, before or after.
  Result<std::optional<Staged>> copy_to_staging(Aim aim, PathView from, const std::optional<Seen>& expected,
                                                const Progress& progress) {
    SSYNC_TRY(fs::Directory* const directory, open(from.location));
    const Result<std::unique_ptr<fs::File>> file = directory->open_file(from.name);
    if (!file && (file.error().code == Errc::not_found || file.error().code == Errc::changed))
      return std::nullopt;
    if (!file) return fail(failed_to("open", file.error()));
    SSYNC_TRY(const fs::Stat before, named("stat", (*file)->stat()));
    if (expected && !same_content(*expected, before.seen, rules.stable_inodes)) return std::nullopt;
    return copy_file(**file, aim, before, progress);
  }

  Result<std::optional<Staged>> copy_file(fs::File& file, Aim aim, const fs::Stat& before,
                                          const Progress& progress) {
    if (before.seen.values.size != aim.wanted.size) return std::nullopt;
    SSYNC_TRY(NewFile made, placing.create(aim.location, aim.wanted));
    const Result<bool> copied = [&]() -> Result<bool> {
      Result<void> filled = made.file->copy_content(file, progress);
      if (!filled && filled.error().code == Errc::changed) return false;
      SSYNC_TRY_VOID(named("copy", std::move(filled)));
      SSYNC_TRY(const fs::Stat after, named("stat", file.stat()));
      SSYNC_TRY(const fs::Stat result, named("stat", made.file->stat()));
      if (!fs::unchanged(before.seen, after.seen) || result.seen.values.size != aim.wanted.size) return false;
      SSYNC_TRY_VOID(placing.finish(made, aim.wanted));
      return true;
    }();
    if (copied && *copied) return std::move(made.at);
    placing.drop(made.at, aim.location);
    if (!copied) return fail(copied.error());
    return std::nullopt;
  }

  Result<void> adjust(fs::Directory& directory, std::string_view name, const Values& wanted) {
    SSYNC_TRY(const fs::Stat now, named("stat", directory.stat(name)));
    return adjust_attributes(directory, name, wanted, now, rules.attributes);
  }

  /// Sets attributes in place. A file that has other names gets a copy of its own instead, as those names may
  /// be somebody's snapshot: that copy is returned, and still has to be placed.
  Result<std::optional<CopyBatch::Copy>> make_right(const Change& change, PathView path, const Values& wanted,
                                                    const fs::Stat& now, const Progress& progress) {
    if (wanted.kind != now.seen.values.kind || now.type == fs::Stat::Type::other) return changed_meanwhile();
    SSYNC_TRY(fs::Directory* const directory, open(path.location));
    // The root's ACL is the business of whoever made the mirror.
    const bool may_have_acl = wanted.kind != Kind::symlink && !path.name.empty();
    const bool has_acl = may_have_acl && (directory->unmirrored(path.name).value_or(0) & fs::kHasAcl) != 0;
    if (has_acl && wanted.kind == Kind::directory) {
      SSYNC_TRY(const auto child, named("open directory", directory->open_child(path.name)));
      SSYNC_TRY_VOID(named("strip the ACL", child->strip_acl()));
    }
    // A file with an ACL is copied, too: the copy has none, and the file's other names keep theirs.
    const bool is_copied =
        wanted.kind == Kind::file &&
        (has_acl || (is_shared_file(now) && attributes_differ(wanted, now, rules.attributes)));
    if (!is_copied) {
      SSYNC_TRY_VOID(adjust_attributes(*directory, path.name, wanted, now, rules.attributes));
      return std::nullopt;
    }
    CopyBatch::Copy own{change, {}, RemoveFrom::no};
    own.change.location = path.location;
    own.change.name = path.name;
    own.change.wanted = wanted;
    own.change.at_path = now.seen;
    SSYNC_TRY(std::optional<Staged> copied, copy_to_staging(aim_of(own.change), path, now.seen, progress));
    if (!copied) return changed_meanwhile();
    own.staged = *std::move(copied);
    return own;
  }

  /// make_right() for what came to `path` just now; a copy gets its name at once, without waiting for a
  /// batch.
  Result<void> make_right_at_once(const Change& change, PathView path, const Values& wanted) {
    SSYNC_TRY(const std::optional<fs::Stat> now, look(path));
    if (!now) return changed_meanwhile();
    SSYNC_TRY(const auto own, make_right(change, path, wanted, *now, {}));
    if (!own) return {};
    if (durable == Durable::yes) SSYNC_TRY_VOID(flush());
    return publish_copy(*own);
  }

  fs::Tree& tree;
  const Durable durable;
  OtherDevices other_devices;
  Placing placing;
  const MirrorRules& rules;
  std::map<std::string, Staged> for_later;  ///< by target path
  bool staged_is_flushed = true;            ///< what is copied in it
  CopyBatch waiting;
  std::vector<Ended> ended;
  Remade remade;
  bool moved_in_parts = false;
};

Applier::Applier(fs::Tree& tree, fs::Staging& staging, Options options)
    : impl_(std::make_unique<Impl>(tree, staging, options)) {}

Applier::~Applier() = default;

Result<Applied> Applier::apply(const Change& change, const std::function<bool(std::uint64_t)>& progress) {
  // What became of each is in `ended`.
  if (impl_->waiting.must_come_before(change)) static_cast<void>(impl_->name_copies());
  const Result<State> state = impl_->run(change, progress);
  if (impl_->waiting.is_full()) static_cast<void>(impl_->name_copies());
  if (state) return Applied{*state, {}};
  if (state.error().code == Errc::interrupted) return fail(state.error());
  return Applied{State::problem, problem_at(change.path(), change.row, state.error())};
}

void Applier::name_copies() {
  static_cast<void>(impl_->name_copies());
}

bool Applier::moved_in_parts() const noexcept {
  return impl_->moved_in_parts;
}

void Applier::follow(Change& change) const {
  impl_->remade.follow(change.name, change.at_path);
  if (Change::From* const from = change.from()) impl_->remade.follow(from->name, from->seen);
}

std::vector<Applier::Ended> Applier::take_ended() {
  return std::exchange(impl_->ended, {});
}

void Applier::close_directories() {
  impl_->placing.close_directories();
}

}  // namespace ssync::store
