// Requests: client -> server. proto-spec/03 §1.
#include <algorithm>
#include <limits>
#include <utility>

#include "ssync/base/text.h"
#include "ssync/wire/codec.h"

#include "filelist.h"
#include "head.h"
#include "rows.h"

namespace ssync::wire {
namespace {

using ErrnoLimits = std::numeric_limits<std::int32_t>;

void put_options(HeadPacker& head, const SyncOptions& options) {
  MapPacker map;
  map.boolean("delete", options.delete_extra);
  if (options.max_delete) map.number("max_delete", *options.max_delete);
  map.boolean("checksum", options.compare_content);
  map.boolean("verify", options.verify);
  map.boolean("dry_run", options.dry_run);
  map.boolean("durable", options.durable);
  map.boolean("changes", options.list_changes);
  map.number("digest", static_cast<std::uint8_t>(options.digest_kind));
  head.map("opt", map);
}

Buffer put(HeadPacker& head, const Hello& hello) {
  head.number("vmin", hello.version_min);
  head.number("vmax", hello.version_max);
  head.bytes("client", hello.client);
  head.text("prog", hello.program, kTextBytesMax);
  head.bytes("src", hello.source_id);
  put_options(head, hello.options);
  head.bytes("host", hello.host);
  Packer& ancestry = head.at("anc");
  ancestry.array(hello.ancestry.size() * 2);
  for (const NodeId& node : hello.ancestry) {
    ancestry.number(node.device);
    ancestry.number(node.inode);
  }
  head.boolean("owner", hello.has_owner);
  if (!hello.mirror.empty()) head.word("mirror", hello.mirror);
  return {};
}

void put_filelist(HeadPacker& head, std::uint64_t number, bool last) {
  head.number("n", number);
  head.boolean("last", last);
  if (number > 0) return;
  Packer& columns = head.at("cols");
  columns.array(kFileListColumns.size());
  for (const std::string_view column : kFileListColumns)
    columns.word(column);
}

Buffer put(HeadPacker& head, const FileList& list) {
  put_filelist(head, list.number, list.batch.last);
  return encode_rows(list.batch);
}

Buffer put(HeadPacker& head, const DirectoryList& list) {
  head.number("n", list.number);
  head.boolean("last", list.last);
  Packer body;
  body.array(list.rows.size());
  for (const DirectorySum& row : list.rows) {
    body.array(row.sum ? 3 : 2);
    body.bytes(row.location);
    body.number(row.rows);
    if (row.sum) body.bytes(to_bytes(*row.sum));
  }
  return body.take();
}

Buffer put(HeadPacker& head, const Next& next) {
  head.number("ack", next.ack);
  return {};
}

Buffer put(HeadPacker& /*head*/, const Digests& digests) {
  Packer body;
  body.array(digests.rows.size());
  for (const DigestRow& row : digests.rows) {
    body.array(row.digest ? 3 : row.checksum ? 2 : 1);
    body.number(row.row);
    if (row.checksum) {
      body.bytes(*row.checksum);
    } else if (row.digest) {
      body.nil();
    }
    if (row.digest) body.bytes(row.digest->view());
  }
  return body.take();
}

Buffer put(HeadPacker& head, const Fail& fail) {
  head.number("row", fail.row);
  head.boolean("gone", fail.vanished);
  head.signed_number("errno", fail.sys_errno);
  head.text("text", fail.text, kTextBytesMax);
  return {};
}

Buffer put(HeadPacker& head, const Bye& bye) {
  head.number("code", bye.code);
  head.text("text", bye.text, kTextBytesMax);
  return {};
}

Buffer put(HeadPacker& head, const AskMirrors& ask) {
  if (!ask.after.empty()) head.word("after", ask.after);
  return {};
}

Buffer put(HeadPacker& head, const Join& join) {
  head.bytes("key", join.key);
  return {};
}

/// All but those that come before there is one.
bool is_of_a_session(const RequestBody& body) noexcept {
  return !std::holds_alternative<Hello>(body) && !std::holds_alternative<AskMirrors>(body) &&
         !std::holds_alternative<Join>(body);
}

void refuse_session(Fields& in) {
  if (in.has("s")) in.refuse(Errc::protocol, "s", "has no place here");
}

SyncOptions get_options(Fields in) {
  SyncOptions options;
  options.delete_extra = in.boolean("delete");
  options.max_delete = in.optional_number("max_delete");
  options.compare_content = in.boolean("checksum");
  options.verify = in.boolean("verify");
  options.dry_run = in.boolean("dry_run");
  options.durable = in.boolean("durable");
  options.list_changes = in.boolean("changes");
  options.digest_kind = static_cast<DigestKind>(in.small<std::uint8_t>("digest"));
  return options;
}

std::vector<NodeId> get_ancestry(Fields& in) {
  const std::vector<std::uint64_t> numbers = in.numbers("anc", 2 * kDepthMax);
  if (numbers.size() % 2 != 0) in.refuse(Errc::protocol, "anc", "has a device without an inode");
  std::vector<NodeId> nodes(numbers.size() / 2);
  for (std::size_t i = 0; i < nodes.size(); ++i)
    nodes[i] = {.device = numbers[2 * i], .inode = numbers[2 * i + 1]};
  return nodes;
}

Result<RequestBody> get_hello(const Head& head, const Frames& frames) {
  SSYNC_TRY_VOID(require_no_body(frames));
  SSYNC_TRY(Hello hello, read_fields(head, [](Fields& in) {
              Hello hello;
              refuse_session(in);
              hello.version_min = in.small<std::uint8_t>("vmin");
              hello.version_max = in.small<std::uint8_t>("vmax");
              hello.client = in.fixed<16>("client");
              hello.program = in.text("prog");
              hello.source_id = in.bytes("src", kSourceIdBytesMax);
              hello.options = get_options(in.map("opt"));
              hello.host = in.fixed<16>("host");
              hello.ancestry = get_ancestry(in);
              hello.has_owner = in.boolean("owner");
              if (in.has("mirror")) hello.mirror = in.text("mirror", kMirrorNameBytesMax);
              return hello;
            }));
  SSYNC_TRY_VOID(validate(hello));
  return hello;
}

// A later version may have more columns, after ours.
void check_columns(Fields& in) {
  const std::vector<std::string> columns = in.texts("cols", kColumnsOfPeerMax, 64);
  const bool known = columns.size() >= kFileListColumns.size() &&
                     std::equal(kFileListColumns.begin(), kFileListColumns.end(), columns.begin());
  if (!known) in.refuse(Errc::protocol, "cols", "does not begin with the columns of this version");
}

Result<RequestBody> get_filelist(const Head& head, Frames& frames) {
  SSYNC_TRY_VOID(require_body(frames));
  SSYNC_TRY(FileList list, read_fields(head, [](Fields& in) {
              FileList list;
              list.number = in.number("n");
              list.batch.last = in.boolean("last");
              if (list.number == 0) {
                check_columns(in);
              } else if (in.has("cols")) {
                in.refuse(Errc::protocol, "cols", "belongs to filelist 0 only");
              }
              return list;
            }));
  SSYNC_TRY(list.batch.rows, decode_rows(frames.body.bytes()));
  SSYNC_TRY_VOID(validate(list));
  list.batch.storage = std::move(frames.body);
  return list;
}

Result<RequestBody> get_dirlist(const Head& head, const Frames& frames) {
  SSYNC_TRY_VOID(require_body(frames));
  SSYNC_TRY(DirectoryList list, read_fields(head, [](Fields& in) {
              DirectoryList list;
              list.number = in.number("n");
              list.last = in.boolean("last");
              return list;
            }));
  SSYNC_TRY_VOID(read_rows(
      frames.body.bytes(), [&](std::size_t rows) { list.rows.reserve(rows); },
      [&](RowReader& in) {
        in.need(2);
        DirectorySum& row = list.rows.emplace_back();
        row.location = in.bytes(0);
        row.rows = in.number(1);
        if (const std::optional<Checksum> sum = in.checksum(2)) row.sum = hash_of(*sum);
      }));
  SSYNC_TRY_VOID(validate(list));
  return list;
}

Result<RequestBody> get_next(const Head& head, const Frames& frames) {
  SSYNC_TRY_VOID(require_no_body(frames));
  SSYNC_TRY(Next next, read_fields(head, [](Fields& in) { return Next{.ack = in.number("ack")}; }));
  SSYNC_TRY_VOID(validate(next));
  return next;
}

Result<RequestBody> get_digests(const Frames& frames) {
  SSYNC_TRY_VOID(require_body(frames));
  Digests digests;
  SSYNC_TRY_VOID(read_rows(
      frames.body.bytes(), [&](std::size_t rows) { digests.rows.reserve(rows); },
      [&](RowReader& in) {
        in.need(1);
        digests.rows.push_back({.row = in.number(0), .checksum = in.checksum(1), .digest = in.digest(2)});
      }));
  SSYNC_TRY_VOID(validate(digests));
  return digests;
}

Result<RequestBody> get_fail(const Head& head, const Frames& frames) {
  SSYNC_TRY_VOID(require_no_body(frames));
  SSYNC_TRY(Fail failed, read_fields(head, [](Fields& in) {
              Fail failed;
              failed.row = in.number("row");
              failed.vanished = in.boolean("gone");
              failed.sys_errno = static_cast<std::int32_t>(
                  in.signed_number("errno", ErrnoLimits::min(), ErrnoLimits::max()));
              failed.text = in.text("text");
              return failed;
            }));
  SSYNC_TRY_VOID(validate(failed));
  return failed;
}

Result<RequestBody> get_bye(const Head& head, const Frames& frames) {
  SSYNC_TRY_VOID(require_no_body(frames));
  SSYNC_TRY(Bye bye, read_fields(head, [](Fields& in) {
              return Bye{.code = in.small<std::uint8_t>("code"), .text = in.text("text")};
            }));
  SSYNC_TRY_VOID(validate(bye));
  return bye;
}

Result<RequestBody> get_ask_mirrors(const Head& head, const Frames& frames) {
  SSYNC_TRY_VOID(require_no_body(frames));
  SSYNC_TRY(AskMirrors ask, read_fields(head, [](Fields& in) {
              AskMirrors ask;
              refuse_session(in);
              if (in.has("after")) ask.after = in.text("after", kMirrorNameBytesMax);
              return ask;
            }));
  SSYNC_TRY_VOID(validate(ask));
  return ask;
}

Result<RequestBody> get_join(const Head& head, const Frames& frames) {
  SSYNC_TRY_VOID(require_no_body(frames));
  SSYNC_TRY(Join join, read_fields(head, [](Fields& in) {
              refuse_session(in);
              return Join{in.fixed<32>("key")};
            }));
  SSYNC_TRY_VOID(validate(join));
  return join;
}

Result<RequestBody> get_body(const Head& head, Frames& frames) {
  if (head.type == "hello") return get_hello(head, frames);
  if (head.type == "filelist") return get_filelist(head, frames);
  if (head.type == "dirlist") return get_dirlist(head, frames);
  if (head.type == "next") return get_next(head, frames);
  if (head.type == "digests") return get_digests(frames);
  if (head.type == "fail") return get_fail(head, frames);
  if (head.type == "bye") return get_bye(head, frames);
  if (head.type == "mirrors") return get_ask_mirrors(head, frames);
  if (head.type == "join") return get_join(head, frames);
  return fail(Errc::protocol, "is no request that is known");
}

}  // namespace

Frames encode(const Request& request) {
  HeadPacker head(name_of(request.body), request.seq);
  if (is_of_a_session(request.body)) head.bytes("s", request.session);
  Buffer body = std::visit([&](const auto& message) { return put(head, message); }, request.body);
  return head.finish(std::move(body));
}

Frames filelist_frames(std::uint32_t seq, const SessionId& session, FileListEncoder::Encoded encoded) {
  HeadPacker head("filelist", seq);
  head.bytes("s", session);
  put_filelist(head, encoded.number, encoded.last);
  return head.finish(std::move(encoded.body));
}

Result<Request> decode_request(Frames frames) {
  SSYNC_TRY(const Head head, open_head(frames));
  Request request{.seq = head.seq, .session = {}, .body = {}};
  auto body = get_body(head, frames);
  if (body && is_of_a_session(*body)) {
    auto session = read_fields(head, [](Fields& in) { return in.fixed<16>("s"); });
    if (!session)
      body = tl::unexpected(std::move(session).error());
    else
      request.session = *session;
  }
  if (!body) return fail(context(std::move(body).error(), escape(head.type)));
  request.body = *std::move(body);
  return request;
}

}  // namespace ssync::wire
