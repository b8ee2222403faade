// Whatever is sent is what is received.
#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "ssync/wire/codec.h"
#include "ssync/wire/data.h"
#include "ssync/wire/tap.h"

#include "samples.h"

namespace ssync::wire {
namespace {

using test::same;

std::uint64_t any_number() {
  return *rc::gen::arbitrary<std::uint64_t>() >> *rc::gen::inRange(1, 64);
}
bool any_bool() {
  return *rc::gen::arbitrary<bool>();
}

std::string any_bytes(std::size_t max) {
  const auto size = *rc::gen::inRange<std::size_t>(0, max + 1);
  return *rc::gen::container<std::string>(size, rc::gen::arbitrary<char>());
}
/// A few letters, so that names meet and prefixes occur, and some bytes that are no text.
std::string any_name() {
  const auto name = *rc::gen::nonEmpty(rc::gen::container<std::string>(
      rc::gen::weightedElement<char>({{6, 'a'}, {4, 'b'}, {2, '-'}, {1, '\x01'}, {1, '\xff'}, {1, ' '}})));
  return name.substr(0, 255);
}
std::string any_location() {
  std::string out;
  for (int depth = *rc::gen::inRange(0, 4); depth > 0; --depth)
    out += (out.empty() ? "" : "/") + any_name();
  return out;
}
std::string any_text() {
  return *rc::gen::container<std::string>(rc::gen::inRange(' ', '~'));
}
std::string any_mirror() {
  std::string name = any_text().substr(0, 255);
  std::replace(name.begin(), name.end(), '/', '.');
  return name;
}
std::array<std::byte, 16> any_16() {
  return test::bytes16(*rc::gen::inRange(0U, 256U));
}
Checksum any_checksum() {
  return any_16();
}
std::optional<Checksum> maybe_checksum() {
  return any_bool() ? std::optional(any_checksum()) : std::nullopt;
}
std::optional<Digest> maybe_digest() {
  switch (*rc::gen::inRange(0, 3)) {
    case 0:
      return std::nullopt;
    case 1:
      return test::sha256_of(*rc::gen::inRange(0U, 256U));
    default:
      return test::md5_of(*rc::gen::inRange(0U, 256U));
  }
}

/// Rows and the strings that they point to.
struct List {
  std::vector<std::pair<std::string, std::string>> paths, origins;
  std::vector<std::string> targets;
  std::vector<Row> rows;
};

void fill_file(Row& row, const std::pair<std::string, std::string>& origin) {
  row.values.mode = *rc::gen::inRange<std::uint16_t>(0, 010000);
  row.values.size = any_number();
  row.checksum = maybe_checksum();
  row.digest = maybe_digest();
  if (any_bool()) row.origin = Origin{origin.first, origin.second, any_checksum(), any_bool()};
}

Row any_row(const List& list, std::size_t i) {
  Row row{.location = list.paths[i].first, .name = list.paths[i].second};
  row.values.kind = static_cast<Kind>(*rc::gen::inRange(1, 5));
  row.values.mtime = {.s = *rc::gen::arbitrary<std::int64_t>(), .ns = *rc::gen::inRange(0U, 1000000000U)};
  row.values.owner = {*rc::gen::arbitrary<std::uint32_t>(), *rc::gen::arbitrary<std::uint32_t>()};
  row.doubt = any_bool();
  if (row.values.kind == Kind::file) fill_file(row, list.origins[i]);
  if (row.values.kind == Kind::symlink) row.target = list.targets[i];
  return row;
}

List any_list() {
  List list;
  std::set<std::pair<std::string, std::string>> paths;
  for (int n = *rc::gen::inRange(0, 12); n > 0; --n)
    paths.insert({any_location(), any_name()});
  list.paths.assign(paths.begin(), paths.end());
  std::sort(list.paths.begin(), list.paths.end(), [](const auto& a, const auto& b) {
    return compare_rows({a.first, a.second}, {b.first, b.second}) < 0;
  });
  for (std::size_t i = 0; i < list.paths.size(); ++i) {
    list.origins.emplace_back(any_location(), any_name());
    list.targets.push_back("t" + any_name());
  }
  list.rows.push_back({.id = 0, .values = {.kind = Kind::directory, .mode = 0755}});
  for (std::size_t i = 0; i < list.paths.size(); ++i) {
    list.rows.push_back(any_row(list, i));
    list.rows.back().id = i + 1;
  }
  return list;
}

RC_GTEST_PROP(WireProperty, FilelistsComeBackAsTheyWere, ()) {
  const List list = any_list();
  Request sent{.seq = *rc::gen::arbitrary<std::uint32_t>(), .session = any_16(), .body = FileList{}};
  std::get<FileList>(sent.body).batch.rows = list.rows;
  std::get<FileList>(sent.body).batch.last = any_bool();
  const auto back = decode_request(encode(sent));
  RC_ASSERT(back.has_value());
  RC_ASSERT(same(*back, sent));
}

RequestBody any_small_request() {
  switch (*rc::gen::inRange(0, 7)) {
    case 0:
      return Next{.ack = any_number()};
    case 1:
      return Fail{.row = any_number(),
                  .vanished = any_bool(),
                  .sys_errno = *rc::gen::arbitrary<std::int32_t>(),
                  .text = any_text()};
    case 2:
      return Bye{.code = *rc::gen::arbitrary<std::uint8_t>(), .text = any_text()};
    case 3: {
      Digests digests;
      for (int n = *rc::gen::inRange(0, 8); n > 0; --n) {
        digests.rows.push_back({.row = any_number(), .checksum = maybe_checksum(), .digest = maybe_digest()});
      }
      return digests;
    }
    case 4:
      return AskMirrors{.after = any_mirror()};
    case 5: {
      Join join;
      for (std::byte& byte : join.key)
        byte = static_cast<std::byte>(*rc::gen::inRange(1, 256));
      return join;
    }
    default: {
      Hello hello = test::sample_hello();
      hello.client = any_16();
      hello.source_id = "s" + any_bytes(300);
      hello.program = any_text();
      hello.options = {.delete_extra = any_bool(),
                       .max_delete = {},
                       .compare_content = any_bool(),
                       .verify = any_bool(),
                       .dry_run = any_bool(),
                       .durable = any_bool(),
                       .list_changes = any_bool(),
                       .digest_kind = any_bool() ? DigestKind::md5 : DigestKind::sha256};
      if (any_bool()) hello.options.max_delete = any_number();
      for (int n = *rc::gen::inRange(0, 20); n > 0; --n) {
        hello.ancestry.push_back(
            {*rc::gen::arbitrary<std::uint64_t>(), *rc::gen::arbitrary<std::uint64_t>()});
      }
      hello.mirror = any_mirror();
      return hello;
    }
  }
}

RC_GTEST_PROP(WireProperty, RequestsComeBackAsTheyWere, ()) {
  Request sent{.seq = *rc::gen::arbitrary<std::uint32_t>(), .session = {}, .body = any_small_request()};
  const bool has_session = !std::holds_alternative<Hello>(sent.body) &&
                           !std::holds_alternative<AskMirrors>(sent.body) &&
                           !std::holds_alternative<Join>(sent.body);
  if (has_session) sent.session = any_16();
  const auto back = decode_request(encode(sent));
  RC_ASSERT(back.has_value());
  RC_ASSERT(same(*back, sent));
}

template <typename Row, typename Make>
std::vector<Row> any_rows(Make make) {
  std::vector<Row> rows;
  for (int n = *rc::gen::inRange(0, 10); n > 0; --n)
    rows.push_back(make());
  return rows;
}

ChangeRow any_change() {
  ChangeRow row{.op = static_cast<Op>(*rc::gen::inRange(1, 15)),
                .kind = static_cast<Kind>(*rc::gen::inRange(1, 4)),
                .location = any_location(),
                .name = any_name()};
  if (row.op >= Op::copy && row.op <= Op::stage_copy) {
    row.from_location = any_location();
    row.from_name = any_name();
  }
  row.size = any_number();
  row.is_new = any_bool();
  row.differs = *rc::gen::inRange<std::uint8_t>(0, 64);
  return row;
}

Problem any_problem() {
  Problem row;
  row.location = any_location();
  row.name = any_name();
  row.text = any_text();
  row.sys_errno = *rc::gen::arbitrary<int>();
  row.subtree = any_bool();
  row.vanished = any_bool();
  row.warning = any_bool();
  if (any_bool()) row.row = any_number();
  return row;
}

PlanTotals any_totals() {
  PlanTotals totals = test::sample_totals();
  totals.requests = any_number();
  totals.copies = any_number();
  totals.reused_bytes = any_number();
  totals.extras_kept = any_number();
  totals.problems = any_number();
  return totals;
}

ReplyBody any_reply() {
  const std::uint64_t number = any_number() / 2 + 1;
  switch (*rc::gen::inRange(0, 8)) {
    case 7: {
      ListRequest request{.number = number, .rows = {}};
      std::uint64_t directory = 0;
      for (const std::string& location : any_rows<std::string>(any_location))
        request.rows.push_back({location, directory += 1 + any_number() / (kRowsMax + 1)});
      return request;
    }
    case 0:
      return FileRequest{.number = number, .rows = any_rows<RequestRow>([] {
                                             return RequestRow{.location = any_location(),
                                                               .name = any_name(),
                                                               .digest = maybe_digest(),
                                                               .row = any_number(),
                                                               .any_content = any_bool()};
                                           })};
    case 1:
      return DigestRequest{.number = number, .rows = any_rows<DigestQuery>([] {
                                               return DigestQuery{.location = any_location(),
                                                                  .name = any_name(),
                                                                  .row = any_number(),
                                                                  .digest = any_bool()};
                                             })};
    case 2:
      return Changes{.number = number, .rows = any_rows<ChangeRow>(any_change)};
    case 3:
      return Problems{.number = number, .rows = any_rows<Problem>(any_problem)};
    case 4:
      return Plan{.number = number,
                  .totals = any_totals(),
                  .guard = static_cast<Guard>(*rc::gen::inRange(0, 5)),
                  .allowed = any_number()};
    case 5:
      return Wait{.reason = static_cast<Wait::Reason>(*rc::gen::inRange(0, 6)),
                  .done = any_number(),
                  .total = any_number(),
                  .text = any_text(),
                  .place = any_number()};
    case 6: {
      const auto names = *rc::gen::container<std::set<std::string>>(rc::gen::exec(any_mirror));
      Mirrors mirrors;
      for (const std::string& name : names)
        mirrors.rows.push_back({name, any_text()});
      mirrors.more = !names.empty() && any_bool();
      return mirrors;
    }
    default: {
      Welcome welcome = test::sample_welcome();
      welcome.tag = *rc::gen::arbitrary<std::uint64_t>();
      welcome.attributes.mtime_granularity_ns = *rc::gen::inRange(1U, 2000000001U);
      welcome.attributes.symlinks = any_bool();
      welcome.attributes.mtime_least_s = *rc::gen::arbitrary<std::int64_t>();
      welcome.attributes.mtime_greatest_s =
          std::max(welcome.attributes.mtime_least_s, *rc::gen::arbitrary<std::int64_t>());
      if (any_bool())
        welcome.root = NodeId{*rc::gen::arbitrary<std::uint64_t>(), *rc::gen::arbitrary<std::uint64_t>()};
      welcome.notes = any_rows<std::string>(any_text);
      welcome.mirror = any_mirror();
      return welcome;
    }
  }
}

RC_GTEST_PROP(WireProperty, RepliesComeBackAsTheyWere, ()) {
  const Reply sent{.seq = *rc::gen::arbitrary<std::uint32_t>(), .body = any_reply()};
  const auto back = decode_reply(encode(sent));
  RC_ASSERT(back.has_value());
  RC_ASSERT(same(*back, sent));
}

Segment any_segment(RowId row) {
  Segment segment{
      .row = row, .offset = any_number() / 4, .length = *rc::gen::inRange(0U, 50000U), .restart = false};
  if (any_bool()) segment.restart = true, segment.offset = 0;
  if (any_bool()) {
    segment.last = true;
    segment.ending = {.size = segment.offset + segment.length + any_number() / 4,
                      .mtime = {*rc::gen::arbitrary<std::int64_t>(), *rc::gen::inRange(0U, 1000000000U)},
                      .checksum = any_checksum(),
                      .changed = any_bool()};
  }
  return segment;
}

RC_GTEST_PROP(WireProperty, DataHeadsComeBackAsTheyWere, ()) {
  DataHead head{.type = DataType::data,
                .tag = *rc::gen::arbitrary<std::uint64_t>(),
                .number = any_number(),
                .offset = any_number()};
  std::size_t payload = 0;
  for (RowId row = 0; row < *rc::gen::inRange<RowId>(1, 10); ++row) {
    head.segments.push_back(any_segment(row));
    payload += head.segments.back().length;
  }
  if (head.segments.empty()) head.segments.push_back({.row = 1});
  const auto back = decode_data(encode(head).bytes(), payload);
  RC_ASSERT(back.has_value());
  RC_ASSERT(*back == head);
}

RC_GTEST_PROP(WireProperty, TapRecordsComeBackAsTheyWere, ()) {
  TapRecord record{.number = any_number(),
                   .time_ns = *rc::gen::arbitrary<std::int64_t>(),
                   .kind = static_cast<TapKind>(*rc::gen::inRange(1, 5)),
                   .direction = static_cast<Direction>(*rc::gen::inRange(1, 4)),
                   .peer = any_number(),
                   .peer_address = any_text(),
                   .type = any_text().substr(0, kTapTypeBytesMax),
                   .seq = any_number(),
                   .bytes = any_number(),
                   .rows = any_number(),
                   .dropped = any_number(),
                   .summary = any_text(),
                   .details = any_rows<std::string>(any_text)};
  const auto back = decode_tap(encode(record).bytes());
  RC_ASSERT(back.has_value());
  RC_ASSERT(*back == record);
}

}  // namespace
}  // namespace ssync::wire
