#include "merge.h"

namespace ssync::scanner {

Merged merge(const MergeRules& rules, Known& known, const Seen& now, const DirectoryFacts& facts) {
  index::Record& record = known.record;
  const bool is_known = known.found == Known::Found::yes;
  const bool as_known = is_known && same_stat(record.held, now, rules.stable);
  // Only the content of a file can be in doubt, and only if it has any.
  const bool has_content = now.values.kind == Kind::file && now.values.size > 0;
  Merged merged;
  merged.as_known = as_known;
  if (has_content && is_known) merged.doubt = record.racy || !as_known;
  if (has_content && !is_known)
    merged.doubt = known.found == Known::Found::unreadable || !rules.first_contact;
  const bool young = has_content && fs::is_racy(now.ctime, rules.clock);
  const bool is_trusted = as_known && !merged.doubt;
  merged.as_before = is_known;
  const auto drop = [&merged](auto& value) {
    if (!value) return;
    value.reset();
    merged.as_before = false;
  };
  if (!is_trusted || rules.role == index::Role::source) drop(record.wanted);
  if (!as_known) record.unmirrored = 0;  // the caller looks
  record.retry = record.retry && is_known && rules.role == index::Role::mirror;
  // A checksum is not kept under a stat so young that a later write might not change it: the next scan would
  // find the same stat and believe the checksum of the old content.
  if (!is_trusted || young || now.values.kind != Kind::file) {
    drop(record.checksum);
    drop(record.digest);
  }
  const bool racy = merged.doubt || young;
  merged.as_before = merged.as_before && record.racy == racy && record.names == facts.names &&
                     record.boundary == facts.boundary && record.held == now;
  record.racy = racy;
  record.names = facts.names;
  record.boundary = facts.boundary;
  record.held = now;
  if (rules.role == index::Role::mirror && rules.first_contact && known.found == Known::Found::no)
    record.wanted = now.values;
  return merged;
}

bool merge_origin(const MergeRules& rules, const index::Record& old, const Seen& now, index::Record& record,
                  bool& doubt, bool& proven) {
  const Values& was = old.held.values;
  if (old.racy || !old.checksum || was.kind != Kind::file || was.size != now.values.size ||
      was.mtime != now.values.mtime)
    return false;
  proven = rules.stable.ctime && old.held.ctime == now.ctime && !fs::is_racy(now.ctime, rules.clock);
  if (proven) {
    doubt = false;
    record.racy = false;
    record.checksum = old.checksum;
    record.digest = old.digest;
  }
  return true;
}

}  // namespace ssync::scanner
