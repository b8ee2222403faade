#include "samples.h"

#include <algorithm>
#include <utility>

namespace ssync::wire::test {
namespace {

SessionId session() {
  return bytes16(0xa0);
}

Request request(std::uint32_t seq, RequestBody body) {
  return {.seq = seq, .session = session(), .body = std::move(body)};
}
Reply reply(std::uint32_t seq, ReplyBody body) {
  return {.seq = seq, .body = std::move(body)};
}

Row directory(RowId id, std::string_view location, std::string_view name) {
  return {.location = location,
          .name = name,
          .id = id,
          .values = {.kind = Kind::directory, .mode = 0755, .mtime = {1700000000, 5}, .owner = {1000, 1000}}};
}

Row file(RowId id, std::string_view location, std::string_view name, std::uint64_t size) {
  return {.location = location,
          .name = name,
          .id = id,
          .values = {.kind = Kind::file,
                     .mode = 0644,
                     .size = size,
                     .mtime = {1700000001, 999999999},
                     .owner = {1000, 100}}};
}

FileList filelist(std::uint64_t number, std::vector<Row> rows, bool last) {
  FileList list;
  list.number = number;
  list.batch.rows = std::move(rows);
  list.batch.last = last;
  return list;
}

Problem problem(std::string location, std::string name, std::string text, int sys_errno) {
  Problem out;
  out.location = std::move(location);
  out.name = std::move(name);
  out.text = std::move(text);
  out.sys_errno = sys_errno;
  return out;
}

Problems problems() {
  Problems out{.number = 6, .rows = {}};
  out.rows.push_back(problem("a", "locked", "open: Permission denied", 13));
  out.rows.back().subtree = true;
  out.rows.back().row = 7;
  out.rows.push_back(problem("a", "socket", "is a socket", 0));
  out.rows.back().warning = true;
  out.rows.push_back(problem("", "gone", "vanished", 2));
  out.rows.back().vanished = true;
  return out;
}

Changes changes() {
  Changes out{.number = 5, .rows = {}};
  out.rows.push_back(
      {.op = Op::make_directory, .kind = Kind::directory, .location = "", .name = "new", .is_new = true});
  out.rows.push_back({.op = Op::copy,
                      .kind = Kind::file,
                      .location = "new",
                      .name = "copy",
                      .from_location = "a",
                      .from_name = "original",
                      .size = 10,
                      .is_new = true});
  out.rows.push_back({.op = Op::request,
                      .kind = Kind::file,
                      .location = "new",
                      .name = "content",
                      .size = 1ULL << 40,
                      .differs = 7});
  out.rows.push_back({.op = Op::set_metadata, .kind = Kind::directory, .differs = 63});
  return out;
}

template <typename T>
bool same_rows(const std::vector<T>& a, const std::vector<T>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const T& x, const T& y) { return same(x, y); });
}

bool equal(const FileList& a, const FileList& b) {
  return a.number == b.number && a.batch.last == b.batch.last && same_rows(a.batch.rows, b.batch.rows);
}
bool equal(const Problems& a, const Problems& b) {
  return a.number == b.number && same_rows(a.rows, b.rows);
}
template <typename T>
bool equal(const T& a, const T& b) {
  return a == b;
}

template <typename Body>
bool same_body(const Body& a, const Body& b) {
  const auto equal_to_b = [&](const auto& message) {
    return equal(message, std::get<std::decay_t<decltype(message)>>(b));
  };
  return a.index() == b.index() && std::visit(equal_to_b, a);
}

}  // namespace

std::array<std::byte, 16> bytes16(unsigned first) {
  std::array<std::byte, 16> out{};
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<std::byte>(first + i);
  return out;
}

Digest sha256_of(unsigned first) {
  Digest out;
  for (std::size_t i = 0; i < 32; ++i)
    out.bytes[i] = static_cast<std::byte>(first + i);
  return out;
}

Digest md5_of(unsigned first) {
  Digest out{.kind = DigestKind::md5, .bytes = {}};
  for (std::size_t i = 0; i < 16; ++i)
    out.bytes[i] = static_cast<std::byte>(first + i);
  return out;
}

Hello sample_hello() {
  Hello hello;
  hello.client = bytes16(0x10);
  hello.program = "client-sync 0.1.0";
  hello.source_id = "host:/srv/data";
  hello.options.max_delete = 100;
  hello.options.list_changes = true;
  hello.host = bytes16(0x20);
  hello.ancestry = {{.device = 2049, .inode = 131073}, {.device = ~0ULL, .inode = 2}};
  hello.has_owner = true;
  return hello;
}

Welcome sample_welcome() {
  Welcome welcome;
  welcome.session = session();
  welcome.tag = 0xfedcba9876543210;
  welcome.program = "server-sync 0.1.0";
  welcome.attributes.owner = true;
  welcome.rows_max = kRowsMax;
  welcome.body_bytes_max = kBodyBytesMax;
  welcome.list_window = kListWindow;
  welcome.chunk_bytes_max = kChunkBytesMax;
  welcome.heartbeat_ms = 2000;
  welcome.idle_ms = 15000;
  welcome.synced_before = true;
  welcome.notes = {"times are kept to 1 ns", "owners are k\u00e9pt"};
  return welcome;
}

PlanTotals sample_totals() {
  PlanTotals totals;
  totals.source_entries = 1000000;
  totals.source_files = 900000;
  totals.source_directories = 99999;
  totals.source_links = 1;
  totals.source_bytes = 1ULL << 45;
  totals.mirror_entries = 999999;
  totals.requests = 12;
  totals.request_bytes = 345678;
  totals.mirror_bytes = 1ULL << 44;
  totals.deletes = 3;
  totals.delete_bytes = 4096;
  totals.places = 12;
  totals.places_lost = 1;
  totals.unchanged = 999988;
  totals.specials = 3;
  return totals;
}

std::vector<Row> sample_rows() {
  std::vector<Row> rows = {directory(0, "", ""), file(1, "", "all", 1ULL << 40), directory(2, "", "dir"),
                           file(3, "dir", "empty", 0), file(4, "dir", "name\xff\n", 77)};
  rows[1].digest = sha256_of(1);
  rows[1].checksum = bytes16(0x40);
  rows[1].doubt = true;
  rows[1].origin = Origin{.location = "", .name = "before", .checksum = bytes16(0x50), .proven = true};
  rows[3].values.owner = {};
  rows[4].digest = md5_of(9);
  rows.push_back({.location = "dir",
                  .name = "to",
                  .id = 5,
                  .values = {.kind = Kind::symlink, .mtime = {-1, 1}},
                  .target = "../elsewhere"});
  return rows;
}

std::vector<NamedRequest> sample_requests() {
  std::vector<NamedRequest> out;
  out.push_back({"hello", {.seq = 1, .session = {}, .body = sample_hello()}});
  Hello bare = sample_hello();
  bare.options = {.delete_extra = false,
                  .compare_content = true,
                  .verify = true,
                  .dry_run = true,
                  .durable = false,
                  .digest_kind = DigestKind::md5};
  bare.host = {};
  bare.ancestry.resize(1);
  bare.has_owner = false;
  out.push_back(
      {"hello with the other options", {.seq = 0xffffffff, .session = {}, .body = std::move(bare)}});
  out.push_back({"filelist 0", request(2, filelist(0, sample_rows(), false))});
  out.push_back({"filelist 1", request(3, filelist(1, {file(6, "zoo", "ape", 1)}, true))});
  out.push_back({"filelist without rows", request(3, filelist(2, {}, true))});
  out.push_back(
      {"filelist of an unreadable entry",
       request(
           3, filelist(1, {{.location = "", .name = "locked", .id = 6, .values = {.kind = Kind::unreadable}}},
                       false))});
  out.push_back(
      {"filelist of a special entry",
       request(
           3,
           filelist(
               1,
               {{.location = "", .name = "null", .id = 6, .values = {.kind = Kind::special, .size = 0x1032}}},
               false))});
  out.push_back(
      {"dirlist 0", request(2, DirectoryList{.number = 0,
                                             .rows = {{"", 4, Hash128{1, 2}}, {"dir\xff", 0, Hash128{}}},
                                             .last = false})});
  out.push_back(
      {"dirlist 1", request(3, DirectoryList{.number = 1, .rows = {{"zoo", 1ULL << 40, {}}}, .last = true})});
  out.push_back({"next", request(4, Next{.ack = 0})});
  out.push_back({"digests", request(5, Digests{{{.row = 1, .checksum = bytes16(1), .digest = {}},
                                                {.row = 3, .checksum = {}, .digest = sha256_of(2)},
                                                {.row = 4, .checksum = bytes16(3), .digest = md5_of(4)},
                                                {.row = 5, .checksum = {}, .digest = {}}}})});
  out.push_back(
      {"fail",
       request(6,
               Fail{.row = 4, .vanished = true, .sys_errno = 2, .text = "open: No such file or directory"})});
  out.push_back({"bye", request(7, Bye{.code = 25, .text = "deletes refused"})});
  Hello named = sample_hello();
  named.mirror = "caf\u00e9 2";
  out.push_back({"hello for a mirror with a name", {.seq = 1, .session = {}, .body = std::move(named)}});
  out.push_back({"mirrors", {.seq = 1, .session = {}, .body = AskMirrors{}}});
  out.push_back({"mirrors after one", {.seq = 2, .session = {}, .body = AskMirrors{.after = "b"}}});
  Join join;
  join.key.fill(std::byte{0x5a});
  out.push_back({"join", {.seq = 1, .session = {}, .body = join}});
  return out;
}

std::vector<NamedReply> sample_replies() {
  std::vector<NamedReply> out;
  out.push_back({"welcome", reply(1, sample_welcome())});
  Welcome ranged = sample_welcome();
  ranged.attributes.mtime_least_s = -(std::int64_t{1} << 31U);
  ranged.attributes.mtime_greatest_s = (std::int64_t{1} << 31U) - 1;
  out.push_back({"welcome with a range of times", reply(1, std::move(ranged))});
  Welcome here = sample_welcome();
  here.root = NodeId{.device = ~0ULL, .inode = 131073};
  out.push_back({"welcome on the same host", reply(1, std::move(here))});
  out.push_back(
      {"wait",
       reply(1,
             Wait{.reason = Wait::Reason::other_session, .done = 5, .total = 10, .text = "another client"})});
  Welcome named = sample_welcome();
  named.mirror = "caf\u00e9 2";
  out.push_back({"welcome to a mirror with a name", reply(1, std::move(named))});
  out.push_back({"wait with a place", reply(1, Wait{.reason = Wait::Reason::other_mirrors,
                                                    .done = 0,
                                                    .total = 10,
                                                    .text = "2 syncs are running",
                                                    .place = 3})});
  out.push_back({"filelist:ok", reply(2, FileListOk{.number = 0})});
  out.push_back({"ok", reply(5, Ok{})});
  out.push_back(
      {"filerequest",
       reply(4,
             FileRequest{
                 .number = 1,
                 .rows = {{.location = "", .name = "all", .digest = sha256_of(1), .row = 1},
                          {.location = "dir", .name = "empty", .digest = {}, .row = 3, .any_content = true},
                          {.location = "dir", .name = "name\xff\n", .digest = md5_of(9), .row = 4}}})});
  out.push_back(
      {"listrequest", reply(4, ListRequest{.number = 2, .rows = {{"", 0}, {"dir\xff", 1ULL << 40}}})});
  out.push_back(
      {"digestrequest",
       reply(4,
             DigestRequest{.number = 2,
                           .rows = {{.location = "dir", .name = "empty", .row = 3, .digest = false},
                                    {.location = "dir", .name = "name\xff\n", .row = 4, .digest = true}}})});
  out.push_back(
      {"plan", reply(4, Plan{.number = 3, .totals = sample_totals(), .guard = Guard::none, .allowed = 0})});
  out.push_back(
      {"plan under a guard",
       reply(4, Plan{.number = 3, .totals = sample_totals(), .guard = Guard::max_delete, .allowed = 2})});
  out.push_back({"changes", reply(4, changes())});
  out.push_back({"problems", reply(4, problems())});
  SyncDone done{
      .number = 7, .stats = {}, .tree_digest = "00112233445566778899aabbccddeeff", .complete = false};
  done.stats.plan = sample_totals();
  done.stats.transferred_files = 12;
  done.stats.transferred_bytes = 345678;
  done.stats.deletes_withheld = 1;
  done.stats.guard = Guard::over_half;
  out.push_back({"sync:done", reply(8, std::move(done))});
  out.push_back({"error", reply(9, ErrorReply{.code = ErrorCode::no_space,
                                              .retry = true,
                                              .text = "staging a: No space left on device"})});
  out.push_back({"error of an unknown mirror", reply(1, ErrorReply{.code = ErrorCode::mirror,
                                                                   .retry = false,
                                                                   .text = "there is no mirror 'c' here"})});
  out.push_back(
      {"mirrors", reply(1, Mirrors{.rows = {{"", ""}, {"a", "home of a"}, {"caf\u00e9 2", "\u00e9"}}})});
  out.push_back({"mirrors and more", reply(1, Mirrors{.rows = {{"a", ""}}, .more = true})});
  out.push_back({"joined", reply(1, Joined{.name = "laptop", .data_port = 7100})});
  out.push_back({"error of a revoked key", reply(5, ErrorReply{.code = ErrorCode::revoked,
                                                               .retry = false,
                                                               .text = "this client's key is not known"})});
  return out;
}

std::vector<NamedData> sample_data() {
  std::vector<NamedData> out;
  const std::uint64_t tag = 0xfedcba9876543210;
  out.push_back({"attach", {.type = DataType::attach, .tag = tag}, 16});
  out.push_back({"credit", {.type = DataType::credit, .tag = tag, .number = 1, .offset = 16777216}, 0});
  const Ending ending{.size = 9, .mtime = {-2, 999999999}, .checksum = bytes16(0x60)};
  out.push_back({"data",
                 {.type = DataType::data,
                  .tag = tag,
                  .number = 0,
                  .offset = 0,
                  .segments = {{.row = 1, .offset = 0, .length = 4},
                               {.row = 1, .offset = 8, .length = 1, .last = true, .ending = ending},
                               {.row = 3, .offset = 0, .length = 0, .last = true, .ending = {}}}},
                 5});
  out.push_back({"data that restarts a file",
                 {.type = DataType::data,
                  .tag = tag,
                  .number = 1,
                  .offset = 1169,
                  .segments = {{.row = 4, .offset = 100, .length = 3},
                               {.row = 4, .offset = 0, .length = 2, .restart = true}}},
                 5});
  Ending changed = ending;
  changed.changed = true;
  out.push_back({"data of a file that changed while it was read",
                 {.type = DataType::data,
                  .tag = tag,
                  .number = 2,
                  .offset = 2293,
                  .segments = {{.row = 5, .offset = 0, .length = 5, .last = true, .ending = changed}}},
                 5});
  return out;
}

std::vector<TapRecord> sample_records() {
  TapRecord control{.number = 0,
                    .time_ns = 1700000000123456789,
                    .kind = TapKind::control,
                    .direction = Direction::in,
                    .peer = 1,
                    .peer_address = "127.0.0.1:40312",
                    .type = "filelist",
                    .seq = 2,
                    .bytes = 1234,
                    .rows = 2,
                    .dropped = 0,
                    .summary = "number 0, 2 rows, last",
                    .details = {"#0 directory 0755 0 B .", "#1 file 0644 3 B a"}};
  TapRecord state{.number = 1,
                  .time_ns = 1700000001000000000,
                  .kind = TapKind::state,
                  .direction = Direction::none,
                  .peer_address = "",
                  .type = "state",
                  .dropped = 17,
                  .summary = "",
                  .details = {}};
  TapRecord of_mirror{.number = 2,
                      .time_ns = 1700000002000000000,
                      .kind = TapKind::data,
                      .direction = Direction::out,
                      .peer = 4,
                      .peer_address = "127.0.0.1:40314",
                      .type = "credit",
                      .mirror = "photos",
                      .session = 3,
                      .seq = 1,
                      .bytes = 30,
                      .summary = "",
                      .details = {}};
  TapRecord without_name = of_mirror;
  without_name.number = 3;
  without_name.mirror = "";
  without_name.session = 0;
  return {control, state, of_mirror, without_name};
}

bool same(const Row& a, const Row& b) {
  const auto same_origin = [](const std::optional<Origin>& x, const std::optional<Origin>& y) {
    if (!x || !y) return x.has_value() == y.has_value();
    return x->location == y->location && x->name == y->name && x->checksum == y->checksum &&
           x->proven == y->proven;
  };
  return a.path() == b.path() && a.id == b.id && a.values == b.values && a.target == b.target &&
         a.checksum == b.checksum && a.digest == b.digest && same_origin(a.origin, b.origin) &&
         a.doubt == b.doubt;
}

bool same(const Problem& a, const Problem& b) {
  return a.path() == b.path() && a.text == b.text && a.sys_errno == b.sys_errno && a.subtree == b.subtree &&
         a.vanished == b.vanished && a.warning == b.warning && a.row == b.row;
}

bool same(const Request& a, const Request& b) {
  return a.seq == b.seq && a.session == b.session && same_body(a.body, b.body);
}
bool same(const Reply& a, const Reply& b) {
  return a.seq == b.seq && same_body(a.body, b.body);
}

}  // namespace ssync::wire::test
