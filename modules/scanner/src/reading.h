#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "block_text.h"
#include "former_place.h"
#include "merge.h"
#include "name_trust.h"
#include "walk.h"

namespace ssync::scanner {

/// Whether it went since it was found.
inline bool is_gone(const Error& error) noexcept {
  return error.code == Errc::not_found;
}

/// One directory being read, by one thread: reading.cc has the course of it, reading_entry.cc what is done
/// with one name in it, reading_child.cc what more is done with a directory. All that it finds goes to
/// `finding`; what the next base is to have of the entries, to `scratch`.
struct Walk::Reading {
  /// How far an entry came. Its row is left out when it is gone; when it is unreadable, its row and its
  /// Problem are complete.
  enum class Step : std::uint8_t { go_on, gone, unreadable };

  Reading(Walk& walk_of, Task& task_of, Scratch& scratch_of);
  void read();

  // The course of it (reading.cc).
  [[nodiscard]] bool open();
  [[nodiscard]] bool list();
  void open_cursors();
  void start_over();
  void expect(std::size_t count);
  [[nodiscard]] Result<void> read_self();
  [[nodiscard]] bool look_at_listed();
  [[nodiscard]] bool look_at_known();
  [[nodiscard]] bool is_ours(std::string_view name);
  [[nodiscard]] bool is_left_out(std::string_view name) const;
  [[nodiscard]] bool stopped();
  [[nodiscard]] std::span<const std::string_view> sorted_names();
  void hand_over_records();
  void end_by(Error error, std::string_view operation);

  // One name in it (reading_entry.cc).
  [[nodiscard]] bool look_at(std::string_view name);
  [[nodiscard]] fs::Stat readable(std::string_view name, const fs::Stat& found);
  [[nodiscard]] Known look_up(std::string_view name);
  [[nodiscard]] bool fill(ScannedEntry& entry, const fs::Stat& stat);
  [[nodiscard]] Step read_target(ScannedEntry& entry, const Known& known);
  [[nodiscard]] Step check_rules(ScannedEntry& entry, const Known& known);
  [[nodiscard]] Step fill_directory(ScannedEntry& entry, const fs::Stat& stat, const Known& known,
                                    DirectoryFacts& facts);
  void merge_into(ScannedEntry& entry, Known& known, const DirectoryFacts& facts);
  void use(const Merged& merged, const index::Record& record, ScannedEntry& entry) const;
  void count_as_before(const Merged& merged);
  void count_unmirrored(std::string_view name, const Merged& merged, index::Record& record);
  void look_for_acl(std::string_view name, const Merged& merged, index::Record& record);
  [[nodiscard]] bool looks_elsewhere() const;
  void find_origin(ScannedEntry& entry, index::Record& record, Merged& merged);
  [[nodiscard]] Step make_unreadable(ScannedEntry& entry, const Known& known, std::string_view operation,
                                     const Error& error);
  [[nodiscard]] Step make_unreadable(ScannedEntry& entry, const Known& known, std::string text,
                                     int sys_errno = 0);
  void add_special(ScannedEntry& entry, const fs::Stat& stat);

  // A directory in it (reading_child.cc).
  [[nodiscard]] Result<void> find_child(std::string_view name, const fs::Stat& stat, const Known& known,
                                        std::optional<std::uint32_t>& names);
  [[nodiscard]] Child child_of(std::string_view name, const fs::Stat& stat, const Known& known);
  [[nodiscard]] Result<std::optional<std::uint32_t>> list_child(Child& child, const fs::Stat& stat,
                                                                fs::Directory& opened);
  [[nodiscard]] FoundDirectory found_directory(const fs::Stat& stat) const;
  [[nodiscard]] bool is_boundary(const fs::Stat& stat) const;
  [[nodiscard]] bool lost_mount(const fs::Stat& stat, const Known& known) const;
  [[nodiscard]] bool is_other_root(std::string_view name, const fs::Stat& stat);

  Walk& walk;
  Task& task;
  Scratch& scratch;
  const bool is_root;
  MergeRules rules;
  std::uint64_t looked_at = 0;  ///< names
  std::uint64_t as_before = 0;  ///< records of the base that the next base has as well
  std::unique_ptr<Finding> finding = std::make_unique<Finding>();
  std::shared_ptr<BlockText> storage;
  std::unique_ptr<fs::Directory> directory;
  std::optional<index::Index::Cursor> cursor;  ///< the index's records of this directory
  FormerPlace former;
  std::size_t depth = 0;
  std::uint64_t device = 0;  ///< this directory's
};

}  // namespace ssync::scanner
