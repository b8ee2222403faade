#include "merge.h"

namespace ssync::scanner {

bool same_stat(const Seen& held, const Seen& now, StableFields stable) noexcept {
  return held.values == now.values && (!stable.ctime || held.ctime == now.ctime) &&
         (!stable.inodes || held.inode == now.inode);
}

namespace {

Merged merge_file(const MergeRules& rules, const Known& known, const Seen& now) {
  Merged merged;
  merged.record.held = now;
  const bool is_known = known.found == Known::Found::yes;
  // Of no content there is nothing to doubt.
  const bool is_empty = now.values.size == 0;
  if (is_empty) {
    merged.doubt = false;
  } else if (is_known) {
    merged.doubt = known.record.racy || !same_stat(known.record.held, now, rules.stable);
  } else {
    merged.doubt = known.found == Known::Found::unreadable || !rules.first_contact;
  }
  const bool young = !is_empty && fs::is_racy(now.ctime, rules.clock);
  merged.record.racy = merged.doubt || young;
  const bool as_known = is_known && same_stat(known.record.held, now, rules.stable);
  if (as_known && !merged.doubt) {
    if (rules.role == index::Role::mirror) merged.record.wanted = known.record.wanted;
    // What was computed from the content a moment ago need not hold for a stat that a later write may leave
    // as it is.
    if (!young) {
      merged.record.checksum = known.record.checksum;
      merged.record.digest = known.record.digest;
    }
  }
  return merged;
}

}  // namespace

Merged merge(const MergeRules& rules, const Known& known, const Seen& now) {
  Merged merged;
  if (now.values.kind == Kind::file) {
    merged = merge_file(rules, known, now);
  } else {
    merged.record.held = now;
    if (rules.role == index::Role::mirror && known.found == Known::Found::yes &&
        same_stat(known.record.held, now, rules.stable))
      merged.record.wanted = known.record.wanted;
  }
  const bool nothing_known = rules.first_contact && known.found == Known::Found::no;
  if (rules.role == index::Role::mirror && nothing_known) merged.record.wanted = now.values;
  return merged;
}

bool merge_origin(const MergeRules& rules, const index::Record& old, const Seen& now, Merged& merged,
                  bool& proven) {
  const Values& was = old.held.values;
  if (old.racy || !old.checksum || was.kind != Kind::file || was.size != now.values.size ||
      was.mtime != now.values.mtime)
    return false;
  proven = rules.stable.ctime && old.held.ctime == now.ctime && !fs::is_racy(now.ctime, rules.clock);
  if (proven) {
    merged.doubt = false;
    merged.record.racy = false;
    merged.record.checksum = old.checksum;
    merged.record.digest = old.digest;
  }
  return true;
}

}  // namespace ssync::scanner
