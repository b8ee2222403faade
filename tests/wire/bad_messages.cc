#include "bad_messages.h"

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <utility>

#include "hex.h"
#include "samples.h"

namespace ssync::wire::test {
namespace {

using Json = nlohmann::ordered_json;
using Change = std::function<void(Json& head, Json& body)>;

std::string bytes_of(std::string_view text) {
  return "hex:" + hex(std::as_bytes(std::span(text)));
}
std::string zeros(std::size_t count) {
  return "hex:" + std::string(2 * count, '0');
}

/// Collects messages that differ in one thing from a sample.
class Collector {
 public:
  template <typename Samples>
  explicit Collector(const Samples& samples) {
    for (const auto& sample : samples) {
      const Frames frames = encode(sample.message);
      const Json body = frames.body.empty() ? Json() : readable(frames.body.bytes());
      bases_.emplace_back(sample.name, std::pair(readable(frames.head.bytes()), body));
    }
  }
  void add(const std::string& base, std::string name, Errc error, std::string reason, const Change& change) {
    auto [head, body] = find(base);
    change(head, body);
    raw(std::move(name), error, std::move(reason), hex(msgpack_of(head).bytes()),
        body.is_null() ? std::string() : hex(msgpack_of(body).bytes()));
  }
  void raw(std::string name, Errc error, std::string reason, std::string head, std::string body) {
    out.push_back({.name = std::move(name),
                   .reason = std::move(reason),
                   .error = error,
                   .head = std::move(head),
                   .body = std::move(body)});
  }
  [[nodiscard]] std::pair<Json, Json> find(const std::string& base) const {
    const auto found =
        std::find_if(bases_.begin(), bases_.end(), [&](const auto& each) { return each.first == base; });
    if (found == bases_.end()) throw std::invalid_argument("no sample " + base);
    return found->second;
  }
  std::vector<BadMessage> out;

 private:
  std::vector<std::pair<std::string, std::pair<Json, Json>>> bases_;
};

std::string replaced(std::string in, const std::string& from, const std::string& to) {
  const auto at = in.find(from);
  if (at == std::string::npos) throw std::invalid_argument("nothing to replace: " + from);
  return in.replace(at, from.size(), to);
}

void add_bad_heads(Collector& all) {
  const auto next = hex(msgpack_of(all.find("next").first).bytes());
  all.raw("empty head", Errc::protocol, "a head is a map", "", "");
  all.raw("head that is no map", Errc::protocol, "a head is a map", "93010203", "");
  all.raw("head cut short", Errc::protocol, "a head is one whole value", next.substr(0, next.size() - 2), "");
  all.raw("bytes after the head", Errc::protocol, "a head is one whole value", next + "c0", "");
  all.raw("reserved byte c1", Errc::protocol, "c1 is no msgpack", "81a176c1", "");
  all.raw("array of 2^32 - 1 items", Errc::protocol, "counts are not believed", "81a176ddffffffff", "");
  all.raw("nine arrays in one another", Errc::limit, "containers nest at most 8 deep",
          "81a1789191919191919191c0", "");
  all.raw("key twice", Errc::protocol, "a key comes once", replaced(next, "85a176", "86a17601a176"), "");
  all.raw("key that is no text", Errc::protocol, "keys are texts", replaced(next, "85a176", "860101a176"),
          "");
  all.add("next", "unknown type", Errc::protocol, "t is one of the requests",
          [](Json& head, Json&) { head["t"] = "xyzzy"; });
  all.add("next", "type of a reply", Errc::protocol, "t is one of the requests",
          [](Json& head, Json&) { head["t"] = "plan"; });
  all.add("next", "no version", Errc::protocol, "v is required", [](Json& head, Json&) { head.erase("v"); });
  all.add("next", "version 2", Errc::version, "v is 1", [](Json& head, Json&) { head["v"] = 2; });
  all.add("next", "no type", Errc::protocol, "t is required", [](Json& head, Json&) { head.erase("t"); });
  all.add("next", "no sequence number", Errc::protocol, "q is required",
          [](Json& head, Json&) { head.erase("q"); });
  all.add("next", "sequence number of 33 bits", Errc::protocol, "q is below 2^32",
          [](Json& head, Json&) { head["q"] = 1ULL << 32; });
  all.add("next", "no session", Errc::protocol, "s is required but in hello",
          [](Json& head, Json&) { head.erase("s"); });
  all.add("next", "session of 15 bytes", Errc::protocol, "s has 16 bytes",
          [](Json& head, Json&) { head["s"] = zeros(15); });
  all.add("next", "session as text", Errc::protocol, "s is bin",
          [](Json& head, Json&) { head["s"] = "0123456789abcdef"; });
  all.add("next", "field that must be understood", Errc::version,
          "a key that begins with '!' and is not known is refused",
          [](Json& head, Json&) { head["!new"] = 1; });
  all.add("next", "65 fields", Errc::limit, "a map has at most 64 fields", [](Json& head, Json&) {
    for (int i = 0; i < 60; ++i)
      head["x" + std::to_string(i)] = i;
  });
  all.add("next", "body where none belongs", Errc::protocol, "next has no rows",
          [](Json&, Json& body) { body = Json::array(); });
}

void add_bad_hellos(Collector& all) {
  const auto bad = [&](std::string name, Errc error, std::string reason,
                       const std::function<void(Json&)>& change) {
    all.add("hello", std::move(name), error, std::move(reason), [&](Json& head, Json&) { change(head); });
  };
  bad("hello with a session", Errc::protocol, "s is absent in hello", [](Json& h) { h["s"] = zeros(16); });
  bad("hello of later versions only", Errc::version, "vmin to vmax has 1",
      [](Json& h) { h["vmin"] = 2, h["vmax"] = 3; });
  bad("hello with vmin above vmax", Errc::protocol, "1 <= vmin <= vmax", [](Json& h) { h["vmin"] = 2; });
  bad("hello with vmin 0", Errc::protocol, "1 <= vmin <= vmax", [](Json& h) { h["vmin"] = 0; });
  bad("hello without options", Errc::protocol, "opt is required", [](Json& h) { h.erase("opt"); });
  bad("hello with an option missing", Errc::protocol, "opt.verify is required",
      [](Json& h) { h["opt"].erase("verify"); });
  bad("hello with a number for a boolean", Errc::protocol, "booleans are true and false",
      [](Json& h) { h["opt"]["delete"] = 1; });
  bad("hello with max_delete -1", Errc::protocol, "counts are not negative",
      [](Json& h) { h["opt"]["max_delete"] = -1; });
  bad("hello with max_delete 1.5", Errc::protocol, "counts are integers",
      [](Json& h) { h["opt"]["max_delete"] = 1.5; });
  bad("hello with max_delete 2^63", Errc::protocol, "counts are below 2^63",
      [](Json& h) { h["opt"]["max_delete"] = 1ULL << 63; });
  bad("hello with digest kind 3", Errc::protocol, "opt.digest is 1 or 2",
      [](Json& h) { h["opt"]["digest"] = 3; });
  bad("hello without ancestry", Errc::protocol, "anc has a pair at least",
      [](Json& h) { h["anc"] = Json::array(); });
  bad("hello with half a pair", Errc::protocol, "anc is pairs of device and inode", [](Json& h) {
    h["anc"] = {1, 2, 3};
  });
  bad("hello with text in anc", Errc::protocol, "anc is pairs of device and inode", [](Json& h) {
    h["anc"] = {1, "2"};
  });
  bad("hello with 4097 ancestors", Errc::limit, "anc has at most 4096 pairs",
      [](Json& h) { h["anc"] = std::vector<int>(std::size_t{2} * 4097, 1); });
  bad("hello with an empty source id", Errc::protocol, "src is not empty",
      [](Json& h) { h["src"] = zeros(0); });
  bad("hello with a source id as text", Errc::protocol, "src is bin",
      [](Json& h) { h["src"] = "host:/srv"; });
  bad("hello with a source id of 65793 bytes", Errc::limit, "src has at most 65792 bytes",
      [](Json& h) { h["src"] = zeros(65793); });
  bad("hello with a program of 1025 bytes", Errc::limit, "texts have at most 1024 bytes",
      [](Json& h) { h["prog"] = std::string(1025, 'x'); });
  bad("hello with a mirror as bin", Errc::protocol, "a mirror's name is str",
      [](Json& h) { h["mirror"] = bytes_of("a"); });
  bad("hello with a mirror of 256 bytes", Errc::limit, "a mirror's name has at most 255 bytes",
      [](Json& h) { h["mirror"] = std::string(256, 'm'); });
  bad("hello with a slash in the mirror", Errc::protocol, "a mirror's name has no /",
      [](Json& h) { h["mirror"] = "a/b"; });
  bad("hello with a line end in the mirror", Errc::protocol, "a mirror's name has no control characters",
      [](Json& h) { h["mirror"] = "a\n"; });
  bad("hello with U+0085 in the mirror", Errc::protocol, "a mirror's name has no control characters",
      [](Json& h) { h["mirror"] = "a\u0085"; });
  bad("hello with U+2028 in the mirror", Errc::protocol, "a mirror's name has no line separators",
      [](Json& h) { h["mirror"] = "a\u2028"; });
  const auto hello = hex(msgpack_of(all.find("hello").first).bytes());
  all.raw("hello with a program that is no UTF-8", Errc::protocol, "texts are UTF-8",
          replaced(hello, "636c69656e742d", "ff6c69656e742d"), "");
}

void add_bad_dirlists(Collector& all) {
  const auto bad = [&](const char* base, std::string name, std::string reason,
                       const std::function<void(Json&, Json&)>& change) {
    all.add(base, std::move(name), Errc::protocol, std::move(reason), change);
  };
  bad("dirlist 0", "dirlist without last", "last is required", [](Json& h, Json&) { h.erase("last"); });
  bad("dirlist 0", "dirlist 0 without rows", "only the last may be empty, and not dirlist 0",
      [](Json&, Json& r) { r = Json::array(); });
  bad("dirlist 0", "dirlist 1 with the root", "the root is the first of dirlist 0",
      [](Json& h, Json&) { h["n"] = 1; });
  bad("dirlist 1", "dirlist 0 without the root", "the root is the first of dirlist 0",
      [](Json& h, Json&) { h["n"] = 0; });
  bad("dirlist 0", "root directory without rows", "the root directory has the root's row",
      [](Json&, Json& r) { r[0][1] = 0; });
  bad("dirlist 0", "directory twice", "directories ascend", [](Json&, Json& r) { r.push_back(r[1]); });
  bad("dirlist 0", "sum of 15 bytes", "a sum has 16 bytes", [](Json&, Json& r) { r[0][2] = zeros(15); });
  bad("dirlist 0", "directory with ..", "names are not . and ..",
      [](Json&, Json& r) { r[1][0] = bytes_of("a/.."); });
  bad("dirlist 0", "directory without a count", "the count is required",
      [](Json&, Json& r) { r[1].erase(2), r[1].erase(1); });
}

void add_bad_filelists(Collector& all) {
  const auto head = [&](std::string name, std::string reason, const std::function<void(Json&)>& change) {
    all.add("filelist 0", std::move(name), Errc::protocol, std::move(reason),
            [&](Json& h, Json&) { change(h); });
  };
  head("filelist 0 without cols", "cols is required in filelist 0", [](Json& h) { h.erase("cols"); });
  head("filelist 0 with other cols", "cols begins with the columns of this version",
       [](Json& h) { h["cols"][2] = "md5"; });
  head("filelist 0 with too few cols", "cols begins with the columns of this version",
       [](Json& h) { h["cols"].erase(16); });
  head("filelist without last", "last is required", [](Json& h) { h.erase("last"); });
  head("filelist without number", "n is required", [](Json& h) { h.erase("n"); });
  head("filelist 1 with cols", "cols belongs to filelist 0", [](Json& h) { h["n"] = 1; });

  const auto row = [&](std::string name, std::string reason, const std::function<void(Json&)>& change,
                       Errc error = Errc::protocol) {
    all.add("filelist 0", std::move(name), error, std::move(reason),
            [&](Json&, Json& rows) { change(rows); });
  };
  row("filelist 0 without rows", "only the last may be empty, and not filelist 0",
      [](Json& r) { r = Json::array(); });
  row("filelist without a body", "a filelist has rows", [](Json& r) { r = nullptr; });
  row("body that is a map", "a body is an array", [](Json& r) { r = {{"a", 1}}; });
  row("row that is no array", "a row is an array", [](Json& r) { r[1] = 7; });
  row("row of four columns", "the first five columns are required", [](Json& r) {
    r[0] = {zeros(0), zeros(0), nullptr, 0};
  });
  row(
      "row of 65 columns", "a row has at most 64 columns",
      [](Json& r) {
        while (r[1].size() < 65)
          r[1].push_back(nullptr);
      },
      Errc::limit);
  row("first location nil", "nil needs a row before", [](Json& r) { r[0][0] = nullptr; });
  row("location as text", "paths are bin", [](Json& r) { r[3][0] = "dir"; });
  row("name as text", "paths are bin", [](Json& r) { r[1][1] = "all"; });
  row("digest of 20 bytes", "a digest has 32 or 16 bytes", [](Json& r) { r[1][2] = zeros(20); });
  row("row id as text", "ids are integers", [](Json& r) { r[1][3] = "1"; });
  row("row id out of sequence", "ids follow one another", [](Json& r) { r[1][3] = 2; });
  row("kind 0", "kinds are 1 to 5", [](Json& r) { r[1][4] = 0; });
  row("kind 6", "kinds are 1 to 5", [](Json& r) { r[1][4] = 6; });
  row("size -1", "sizes are not negative", [](Json& r) { r[1][5] = -1; });
  row("size 2^63", "sizes are below 2^63", [](Json& r) { r[1][5] = 1ULL << 63; });
  row("size of a directory", "only files have a size", [](Json& r) { r[2][5] = 1; });
  row("mtime as text", "times are integers", [](Json& r) { r[1][6] = "now"; });
  row("10^9 nanoseconds", "nanoseconds are below 10^9", [](Json& r) { r[1][7] = 1000000000; });
  row("mode 010000", "modes have 12 bits", [](Json& r) { r[1][8] = 4096; });
  row("mode of a link", "links have mode 0", [](Json& r) { r[5][8] = 0777; });
  row("uid of 33 bits", "owners have 32 bits", [](Json& r) { r[1][9] = 1ULL << 32; });
  row("checksum of 15 bytes", "a checksum has 16 bytes", [](Json& r) { r[1][11] = zeros(15); });
  row("checksum of a directory", "only files have content", [](Json& r) { r[2].push_back(zeros(16)); });
  row("unknown row flag", "flags are doubt and origin proven", [](Json& r) { r[1][12] = 4; });
  row("link without target", "a link has a target", [](Json& r) { r[5].erase(13); });
  row("link with an empty target", "a target is not empty", [](Json& r) { r[5][13] = zeros(0); });
  row("file with a target", "only links have a target", [](Json& r) { r[1][13] = bytes_of("x"); });
  row("NUL in a target", "targets have no NUL", [](Json& r) { r[5][13] = zeros(1); });
  row("target of 65537 bytes", "targets have at most 65536 bytes",
      [](Json& r) { r[5][13] = bytes_of(std::string(65537, 't')); });
  row("origin without a name", "an origin is location, name and checksum",
      [](Json& r) { r[1][15] = nullptr; });
  row("origin without a checksum", "an origin is location, name and checksum",
      [](Json& r) { r[1].erase(16); });
  row("proven without an origin", "flag 2 needs an origin",
      [](Json& r) { r[4].push_back(nullptr), r[4].push_back(2); });
  row("origin of ..", "origins are paths", [](Json& r) { r[1][15] = bytes_of(".."); });
  row("name empty below the root", "only row 0 is the root", [](Json& r) { r[1][1] = zeros(0); });
  row("row 0 with a name", "row 0 is the root", [](Json& r) { r[0][1] = bytes_of("a"); });
  row("root that is a file", "the root is a directory", [](Json& r) { r[0][4] = 1; });
  row("name .", "names are not . and ..", [](Json& r) { r[1][1] = bytes_of("."); });
  row("name ..", "names are not . and ..", [](Json& r) { r[1][1] = bytes_of(".."); });
  row("NUL in a name", "names have no NUL", [](Json& r) { r[1][1] = zeros(1); });
  row("slash in a name", "names have no /", [](Json& r) { r[1][1] = bytes_of("a/b"); });
  row("name of 256 bytes", "names have at most 255 bytes",
      [](Json& r) { r[1][1] = bytes_of(std::string(256, 'a')); });
  row("absolute location", "locations do not begin with /", [](Json& r) { r[3][0] = bytes_of("/dir"); });
  row("location with a trailing slash", "locations do not end with /",
      [](Json& r) { r[3][0] = bytes_of("dir/"); });
  row("location with an empty component", "components are not empty",
      [](Json& r) { r[3][0] = bytes_of("dir//x"); });
  row("location with ..", "components are not . and ..", [](Json& r) { r[3][0] = bytes_of("dir/../x"); });
  row("location deeper than 4096", "a location has at most 4096 components", [](Json& r) {
    std::string deep = "d";
    for (int i = 0; i < 4096; ++i)
      deep += "/d";
    r[3][0] = bytes_of(deep);
  });
  row("names out of order", "rows are sorted by name", [](Json& r) { std::swap(r[3][1], r[4][1]); });
  row("name twice", "rows are different", [](Json& r) { r[4][1] = r[3][1]; });
  row("locations out of order", "rows are sorted by location",
      [](Json& r) { r[1][0] = bytes_of("zoo"), r[2][0] = bytes_of("dir"); });
  row(
      "4097 rows", "a message has at most 4096 rows",
      [](Json& r) { r = Json(std::vector<Json>(4097, Json::array({1}))); }, Errc::limit);
  all.raw("more rows than bytes", Errc::protocol, "counts are not believed",
          hex(msgpack_of(all.find("filelist 0").first).bytes()), "dc0fff90");
  all.raw("body of 2^32 - 1 rows", Errc::limit, "a message has at most 4096 rows",
          hex(msgpack_of(all.find("filelist 0").first).bytes()), "ddffffffff");
}

void add_bad_others(Collector& all) {
  all.add("next", "next without ack", Errc::protocol, "ack is required",
          [](Json& h, Json&) { h.erase("ack"); });
  all.add("digests", "digests row without an id", Errc::protocol, "the id is required",
          [](Json&, Json& r) { r[0] = Json::array(); });
  all.add("digests", "checksum of 17 bytes", Errc::protocol, "a checksum has 16 bytes",
          [](Json&, Json& r) { r[0][1] = zeros(17); });
  all.add("digests", "digest of 0 bytes", Errc::protocol, "a digest has 32 or 16 bytes",
          [](Json&, Json& r) { r[1][2] = zeros(0); });
  all.add("fail", "fail without a row", Errc::protocol, "row is required",
          [](Json& h, Json&) { h.erase("row"); });
  all.add("fail", "errno of 33 bits", Errc::protocol, "errno has 32 bits",
          [](Json& h, Json&) { h["errno"] = 1ULL << 31; });
  all.add("bye", "bye with code 256", Errc::protocol, "code is below 256",
          [](Json& h, Json&) { h["code"] = 256; });
  all.add("bye", "bye without text", Errc::protocol, "text is required",
          [](Json& h, Json&) { h.erase("text"); });
  all.add("mirrors", "mirrors with a session", Errc::protocol, "s is absent in mirrors",
          [](Json& h, Json&) { h["s"] = zeros(16); });
  all.add("mirrors after one", "mirrors after a path", Errc::protocol, "a mirror's name has no /",
          [](Json& h, Json&) { h["after"] = "a/b"; });
  all.add("mirrors", "mirrors with rows", Errc::protocol, "a request for mirrors has no rows",
          [](Json&, Json& r) { r = Json::array(); });
}

}  // namespace

std::vector<BadMessage> bad_requests() {
  Collector all(sample_requests());
  add_bad_heads(all);
  add_bad_hellos(all);
  add_bad_dirlists(all);
  add_bad_filelists(all);
  add_bad_others(all);
  return std::move(all.out);
}

namespace {

void add_bad_fields(Collector& all) {
  const auto bad = [&](const char* base, std::string name, std::string reason,
                       const std::function<void(Json&)>& change, Errc error = Errc::protocol) {
    all.add(base, std::move(name), error, std::move(reason), [&](Json& head, Json&) { change(head); });
  };
  bad("ok", "unknown type", "t is one of the replies", [](Json& h) { h["t"] = "hello"; });
  bad(
      "ok", "version 2", "v is 1", [](Json& h) { h["v"] = 2; }, Errc::version);
  bad(
      "welcome", "welcome with another version", "ver is one that was offered", [](Json& h) { h["ver"] = 2; },
      Errc::version);
  bad("welcome", "welcome without a session", "s is required", [](Json& h) { h.erase("s"); });
  bad("welcome", "welcome with session zero", "s is not all zero", [](Json& h) { h["s"] = zeros(16); });
  bad("welcome", "granularity 0", "attr.mtime is 1 to 2000000000", [](Json& h) { h["attr"]["mtime"] = 0; });
  bad("welcome", "granularity above 2 s", "attr.mtime is 1 to 2000000000",
      [](Json& h) { h["attr"]["mtime"] = 2000000001; });
  bad("welcome", "mode mask of 13 bits", "attr.mode has 12 bits", [](Json& h) { h["attr"]["mode"] = 4096; });
  bad("welcome", "a root without an inode", "root is a device and an inode",
      [](Json& h) { h["root"] = {7}; });
  bad("welcome", "a root of text", "root is a device and an inode", [](Json& h) { h["root"] = {"7", "8"}; });
  bad("welcome", "rows 0", "rows is 1 to 4096", [](Json& h) { h["rows"] = 0; });
  bad("welcome", "rows 4097", "rows is 1 to 4096", [](Json& h) { h["rows"] = 4097; });
  bad("welcome", "body too small for a row", "body is 135168 to 397312", [](Json& h) { h["body"] = 135167; });
  bad("welcome", "window 0", "win is 1 to 64", [](Json& h) { h["win"] = 0; });
  bad("welcome", "chunk of 4095 bytes", "chunk is 4096 to 524288", [](Json& h) { h["chunk"] = 4095; });
  bad("welcome", "heartbeat 0", "beat is 1 to 60000", [](Json& h) { h["beat"] = 0; });
  bad("welcome", "idle below heartbeat", "idle is beat to 600000", [](Json& h) { h["idle"] = 1999; });
  bad(
      "welcome", "17 notes", "notes has at most 16 texts",
      [](Json& h) { h["notes"] = std::vector<std::string>(17, "x"); }, Errc::limit);
  bad("welcome", "note that is no text", "notes are texts", [](Json& h) { h["notes"][1] = 2; });
  bad("welcome", "a range of times that ends before it begins", "attr.tmin is at most attr.tmax",
      [](Json& h) {
        h["attr"]["tmin"] = 5;
        h["attr"]["tmax"] = 4;
      });
  bad("welcome", "attributes that are no map", "attr is a map", [](Json& h) { h["attr"] = Json::array(); });
  bad("welcome to a mirror with a name", "welcome to a mirror with a slash", "a mirror's name has no /",
      [](Json& h) { h["mirror"] = "a/b"; });
  bad("wait", "reason 6", "why is 0 to 5", [](Json& h) { h["why"] = 6; });
  bad("wait with a place", "place -1", "counts are not negative", [](Json& h) { h["place"] = -1; });
  bad(
      "wait", "text of 1025 bytes", "texts have at most 1024 bytes",
      [](Json& h) { h["text"] = std::string(1025, 'x'); }, Errc::limit);
  bad("filelist:ok", "filelist:ok without a number", "n is required", [](Json& h) { h.erase("n"); });
  bad("filerequest", "filerequest 0", "replies to next count from 1", [](Json& h) { h["n"] = 0; });
  bad("digestrequest", "digestrequest 0", "replies to next count from 1", [](Json& h) { h["n"] = 0; });
  bad("listrequest", "listrequest 0", "replies to next count from 1", [](Json& h) { h["n"] = 0; });
  bad("plan", "plan 0", "replies to next count from 1", [](Json& h) { h["n"] = 0; });
  bad("changes", "changes 0", "replies to next count from 1", [](Json& h) { h["n"] = 0; });
  bad("problems", "problems 0", "replies to next count from 1", [](Json& h) { h["n"] = 0; });
  bad("sync:done", "sync:done 0", "replies to next count from 1", [](Json& h) { h["n"] = 0; });
  bad("plan", "plan with guard 5", "guard is 0 to 4", [](Json& h) { h["guard"] = 5; });
  bad("plan", "plan without a counter", "all counters are required",
      [](Json& h) { h["plan"].erase("deletes"); });
  bad("plan", "negative counter", "counts are not negative", [](Json& h) { h["plan"]["deletes"] = -3; });
  bad("sync:done", "sync:done with guard 5", "guard is 0 to 4", [](Json& h) { h["stats"]["guard"] = 5; });
  bad("sync:done", "sync:done without statistics", "stats is required", [](Json& h) { h.erase("stats"); });
  bad("sync:done", "tree digest of 31 digits", "tree has 32 digits",
      [](Json& h) { h["tree"] = std::string(31, '0'); });
  bad("sync:done", "tree digest in capitals", "tree has lower-case digits",
      [](Json& h) { h["tree"] = std::string(32, 'A'); });
  bad("error", "error 0", "codes are those of 06", [](Json& h) { h["code"] = 0; });
  bad("error", "error 12", "codes are those of 06", [](Json& h) { h["code"] = 12; });
  bad("error", "error 21", "codes are those of 06", [](Json& h) { h["code"] = 21; });
  bad("error", "error without retry", "retry is required", [](Json& h) { h.erase("retry"); });
  bad("mirrors", "mirrors without more", "more is required", [](Json& h) { h.erase("more"); });
}

void add_bad_rows(Collector& all) {
  const auto bad = [&](const char* base, std::string name, std::string reason,
                       const std::function<void(Json&)>& change) {
    all.add(base, std::move(name), Errc::protocol, std::move(reason),
            [&](Json&, Json& rows) { change(rows); });
  };
  bad("mirrors and more", "more after nothing", "more follows the last row",
      [](Json& r) { r = Json::array(); });
  bad("mirrors", "mirrors without a body", "mirrors has rows", [](Json& r) { r = nullptr; });
  bad("mirrors", "mirror without a comment", "the comment is required", [](Json& r) { r[0].erase(1); });
  bad("mirrors", "mirrors out of order", "names ascend", [](Json& r) { std::swap(r[1], r[2]); });
  bad("mirrors", "mirror twice", "names ascend", [](Json& r) { r[2] = r[1]; });
  bad("mirrors", "mirror with a slash", "a mirror's name has no /", [](Json& r) { r[1][0] = "a/b"; });
  bad("mirrors", "mirror with a name of bytes", "a mirror's name is str",
      [](Json& r) { r[1][0] = bytes_of("a"); });
  bad("filerequest", "request of the root", "only row 0 of a list, changes and problems may be the root",
      [](Json& r) { r[0][1] = zeros(0); });
  bad("filerequest", "request of ..", "names are not . and ..", [](Json& r) { r[0][1] = bytes_of(".."); });
  bad("filerequest", "request without an id", "the id is required", [](Json& r) {
    r[0].erase(4);
    r[0].erase(3);
  });
  bad("filerequest", "request with flag 2", "the flag of a request is 1", [](Json& r) { r[0][4] = 2; });
  bad("filerequest", "filerequest without a body", "a filerequest has rows", [](Json& r) { r = nullptr; });
  bad("digestrequest", "digestrequest for 0", "what is 1 or 2", [](Json& r) { r[0][3] = 0; });
  bad("digestrequest", "digestrequest for 3", "what is 1 or 2", [](Json& r) { r[0][3] = 3; });
  bad("digestrequest", "digestrequest of an absolute path", "locations do not begin with /",
      [](Json& r) { r[0][0] = bytes_of("/etc"); });
  bad("listrequest", "listrequest out of order", "directories ascend", [](Json& r) { r[1][1] = 0; });
  bad("listrequest", "listrequest of an absolute path", "locations do not begin with /",
      [](Json& r) { r[1][0] = bytes_of("/etc"); });
  bad("changes", "op 0", "ops are 1 to 14", [](Json& r) { r[0][2] = 0; });
  bad("changes", "op 15", "ops are 1 to 14", [](Json& r) { r[0][2] = 15; });
  bad("changes", "change of an unreadable entry", "kinds are 1 to 3", [](Json& r) { r[0][3] = 4; });
  bad("changes", "change to a special entry", "kind 5 is only removed", [](Json& r) { r[0][3] = 5; });
  bad("changes", "unknown flag of a change", "flags is 0 or 1", [](Json& r) { r[0][5] = 2; });
  bad("changes", "unknown difference", "differs has 6 bits", [](Json& r) { r[0][6] = 64; });
  bad("changes", "copy from nowhere", "ops 4 to 9 have a from",
      [](Json& r) { r[1].erase(8), r[1].erase(7); });
  bad("changes", "request from somewhere", "ops other than 4 to 10 have no from",
      [](Json& r) { r[2].push_back(bytes_of("a")), r[2].push_back(bytes_of("b")); });
  bad("changes", "from without a name", "a from is location and name", [](Json& r) { r[1][8] = nullptr; });
  bad("changes", "copy from ..", "names are not . and ..", [](Json& r) { r[1][8] = bytes_of(".."); });
  bad("changes", "root that is made", "only set_metadata may concern the root", [](Json& r) { r[3][2] = 1; });
  bad("problems", "unknown flag of a problem", "flags have 3 bits", [](Json& r) { r[0][4] = 8; });
  bad("problems", "text that is bin", "texts are str", [](Json& r) { r[0][2] = zeros(4); });
  bad("problems", "errno of 33 bits", "errno has 32 bits", [](Json& r) { r[0][3] = 1ULL << 31; });
  bad("problems", "problem of a path with NUL", "names have no NUL", [](Json& r) { r[0][1] = zeros(1); });
}

/// Byte `at` of a message in hexadecimal, replaced.
std::string with_bytes(std::string hex, std::size_t at, const std::string& bytes) {
  return hex.replace(2 * at, bytes.size(), bytes);
}

}  // namespace

std::vector<BadMessage> bad_replies() {
  Collector all(sample_replies());
  add_bad_fields(all);
  add_bad_rows(all);
  return std::move(all.out);
}

std::vector<BadMessage> bad_data() {
  const auto samples = sample_data();
  const auto hex_of = [&](std::size_t i) { return hex(encode(samples[i].message).bytes()); };
  const std::string attach = hex_of(0);
  const std::string credit = hex_of(1);
  const std::string data = hex_of(2);
  const std::string restart = hex_of(3);
  std::vector<BadMessage> out;
  const auto add = [&](std::string name, std::string reason, std::string head, std::size_t payload,
                       Errc error = Errc::protocol) {
    out.push_back({std::move(name), std::move(reason), error, std::move(head), "", payload});
  };
  const std::size_t first = 32;           // of segment 0
  const std::size_t second = first + 24;  // of segment 1
  const std::size_t third = second + 60;
  add("empty head", "a head has 32 bytes at least", "", 5);
  add("header cut short", "a head has 32 bytes at least", data.substr(0, 62), 5);
  add("other magic", "a head begins with 5353", with_bytes(data, 0, "5354"), 5);
  add("version 2", "version is 1", with_bytes(data, 2, "02"), 5, Errc::version);
  add("type 3", "types are 1, 2 and 16", with_bytes(data, 3, "03"), 5);
  add("reserved field set", "reserved fields are 0", with_bytes(data, 6, "0001"), 5);
  add("number 2^63", "numbers are below 2^63", with_bytes(data, 16, "8000000000000000"), 5);
  add("offset 2^63", "offsets are below 2^63", with_bytes(data, 24, "8000000000000000"), 5);
  add("data without segments", "data has segments", with_bytes(data.substr(0, 64), 4, "0000"), 0);
  add("more segments than bytes", "counts are not believed", with_bytes(data, 4, "ffff"), 5);
  add("table cut short", "each segment has 24 bytes", data.substr(0, 2 * third), 5);
  add("ending cut short", "a last segment has 36 bytes more", data.substr(0, data.size() - 2), 5);
  add("bytes after the table", "the table ends the head", data + "00", 5);
  add("payload too short", "lengths add up to the payload", data, 4);
  add("payload too long", "lengths add up to the payload", data, 6);
  add("payload of 524289 bytes", "a payload has at most 524288 bytes", data, 524289, Errc::limit);
  add("row 2^63", "rows are below 2^63", with_bytes(data, first, "8000000000000000"), 5);
  add("segment that ends at 2^63", "ends are below 2^63", with_bytes(data, first + 8, "7ffffffffffffffc"), 5);
  add("unknown segment flag", "flags are last, restart and changed", with_bytes(data, first + 20, "0008"), 5);
  add("changed without an ending", "changed comes with last", with_bytes(data, first + 20, "0004"), 5);
  add("reserved segment field set", "reserved fields are 0", with_bytes(data, first + 22, "0001"), 5);
  add("segments that overlap", "segments of a file do not overlap",
      with_bytes(data, second + 8, "0000000000000003"), 5);
  add("segment beyond the end", "the last segment ends within the size",
      with_bytes(data, second + 24, "0000000000000008"), 5);
  add("size 2^63", "sizes are below 2^63", with_bytes(data, second + 24, "8000000000000000"), 5);
  add("10^9 nanoseconds", "nanoseconds are below 10^9", with_bytes(data, second + 40, "3b9aca00"), 5);
  add("segment after the last", "nothing of a file follows its last segment",
      with_bytes(data, third, "0000000000000001"), 5);
  add("restart at 1", "a restart is at offset 0", with_bytes(restart, second + 8, "0000000000000001"), 5);
  add("going back without a restart", "segments of a file are in order",
      with_bytes(restart, second + 20, "0000"), 5);
  add("attach with 15 bytes", "attach carries 16 bytes", attach, 15);
  add("attach with a number", "attach has number 0", with_bytes(attach, 16, "0000000000000001"), 16);
  add("attach with a segment", "attach has no segments", with_bytes(attach, 4, "0001") + std::string(48, '0'),
      16);
  add("credit with payload", "credit has no payload", credit, 1);
  add("credit with a segment", "credit has no segments", with_bytes(credit, 4, "0001") + std::string(48, '0'),
      0);
  return out;
}

std::vector<BadMessage> bad_records() {
  const Json record = readable(encode(sample_records().front()).bytes());
  std::vector<BadMessage> out;
  const auto add = [&](std::string name, std::string reason, const std::function<void(Json&)>& change,
                       Errc error = Errc::protocol) {
    Json bad = record;
    change(bad);
    out.push_back({std::move(name), std::move(reason), error, hex(msgpack_of(bad).bytes()), "", 0});
  };
  add("record that is no map", "a record is a map", [](Json& r) { r = 1; });
  add(
      "version 2", "v is 1", [](Json& r) { r["v"] = 2; }, Errc::version);
  add("no number", "n is required", [](Json& r) { r.erase("n"); });
  add("kind 0", "k is 1 to 4", [](Json& r) { r["k"] = 0; });
  add("kind 5", "k is 1 to 4", [](Json& r) { r["k"] = 5; });
  add("direction 0", "d is 1 to 3", [](Json& r) { r["d"] = 0; });
  add("direction 4", "d is 1 to 3", [](Json& r) { r["d"] = 4; });
  add("time as text", "ts is an integer", [](Json& r) { r["ts"] = "now"; });
  add("time 2^63", "ts is below 2^63", [](Json& r) { r["ts"] = 1ULL << 63; });
  add(
      "65 details", "e has at most 64 texts", [](Json& r) { r["e"] = std::vector<std::string>(65, "x"); },
      Errc::limit);
  add(
      "detail of 513 bytes", "details have at most 512 bytes",
      [](Json& r) { r["e"][0] = std::string(513, 'x'); }, Errc::limit);
  add(
      "type of 65 bytes", "t has at most 64 bytes", [](Json& r) { r["t"] = std::string(65, 'x'); },
      Errc::limit);
  add(
      "mirror's name of 256 bytes", "m has at most 255 bytes",
      [](Json& r) { r["m"] = std::string(256, 'x'); }, Errc::limit);
  add("mirror as number", "m is text", [](Json& r) { r["m"] = 1; });
  add("session as text", "j is a number", [](Json& r) { r["j"] = "3"; });
  return out;
}

}  // namespace ssync::wire::test
