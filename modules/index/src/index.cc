#include "ssync/index/index.h"

#include <fcntl.h>

#include <utility>

#include "ssync/base/mutex.h"

#include "base_file.h"
#include "base_writer.h"
#include "cursor.h"
#include "log.h"
#include "state_files.h"

namespace ssync::index {

namespace {

/// A log this long is started anew even if all it holds is headers.
constexpr std::uint64_t kLogBytesIdle = 64 * 1024;

}  // namespace

struct Index::Impl {
  explicit Impl(StateFiles state_files) : files(std::move(state_files)) {}

  Role role = Role::source;
  std::string root_path;
  StateFiles files;
  std::shared_ptr<Damage> damage = std::make_shared<Damage>();
  std::shared_ptr<const BaseFile> base;  // null: there is none
  std::unique_ptr<Log> log;
  Header header;           // the log's, else the base's
  bool absent = false;     // nothing can be kept
  bool forgiving = false;  // what cannot be written is no Error
  mutable Mutex trouble_mutex;
  std::string trouble SSYNC_GUARDED_BY(trouble_mutex);  // the first

  void note(const Error& error) SSYNC_EXCLUDES(trouble_mutex) {
    const MutexLock lock(trouble_mutex);
    if (trouble.empty()) trouble = error.text();
  }
  [[nodiscard]] Result<void> forgive(Result<void> done) {
    const bool by_caller =
        !done && done.error().code == Errc::invalid_argument && done.error().sys_errno == 0;
    if (done || !forgiving || by_caller) return done;
    note(done.error());
    return {};
  }

  [[nodiscard]] Result<void> open_base();
  /// The caller's header as that of this index.
  [[nodiscard]] Header own(Header given) const {
    given.role = role;
    given.root_path = root_path;
    return given;
  }
  [[nodiscard]] Cursor::Found find(BaseCursor& cursor, std::uint64_t location_hash, std::string_view name,
                                   Record& record, bool& of_base) const;
  [[nodiscard]] std::optional<InodeHit> hit_in_block(std::uint64_t offset, std::uint64_t device,
                                                     std::uint64_t inode) const;
};

struct Index::Cursor::Impl {
  const Index::Impl& index;
  BaseCursor base;
  std::uint64_t hash;
  bool of_base = false;
};

struct Index::Writer::Impl {
  BaseWriter writer;
  std::uint64_t log_mark;
};

Result<void> Index::Impl::open_base() {
  Result<UniqueFd> fd = files.open_existing(files.base_name(), O_RDONLY);
  if (!fd && fd.error().code != Errc::corrupt) return fail(std::move(fd).error());
  if (fd && !*fd) return {};
  // Something that is no file counts as a base that cannot be read; so does the index of another root.
  if (!fd) damage->add("the index cannot be read: " + fd.error().text());
  base = BaseFile::open(fd ? std::move(*fd) : UniqueFd(), damage);
  if (base->usable() && (base->header().role != role || base->header().root_path != root_path)) {
    damage->add("the index is that of another root");
    base = BaseFile::open(UniqueFd(), damage);
  }
  return {};
}

Result<Index> Index::open(const std::string& state_dir, Role role, std::string_view root_path) {
  SSYNC_TRY(StateFiles files, StateFiles::open(state_dir, role, root_path));
  auto impl = std::make_unique<Impl>(std::move(files));
  impl->role = role;
  impl->root_path = root_path;
  SSYNC_TRY_VOID(impl->open_base());
  const std::uint64_t generation = impl->base ? impl->base->generation() : 0;
  SSYNC_TRY(impl->log, Log::open(impl->files, generation, impl->damage));
  impl->header = impl->own(impl->base ? impl->base->header() : Header{});
  if (const std::optional<Header> newer = impl->log->header()) impl->header = impl->own(*newer);
  return Index(std::move(impl));
}

Index Index::open_or_none(const std::string& state_dir, Role role, std::string_view root_path) {
  Result<Index> opened = open(state_dir, role, root_path);
  if (opened) {
    opened->impl_->forgiving = true;
    return *std::move(opened);
  }
  auto impl = std::make_unique<Impl>(StateFiles());
  impl->role = role;
  impl->root_path = root_path;
  impl->absent = true;
  impl->forgiving = true;
  impl->log = Log::none(impl->files, impl->damage);
  impl->header = impl->own(Header{});
  impl->note(opened.error());
  return Index(std::move(impl));
}

std::string Index::trouble() const {
  const MutexLock lock(impl_->trouble_mutex);
  return impl_->trouble;
}
void Index::note_trouble(const Error& error) {
  impl_->note(error);
}

Index::Index(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Index::~Index() = default;
Index::Index(Index&&) noexcept = default;
Index& Index::operator=(Index&&) noexcept = default;

bool Index::exists() const noexcept {
  return impl_->base != nullptr;
}
const Header& Index::header() const noexcept {
  return impl_->header;
}
std::vector<std::string> Index::damage() const {
  return impl_->damage->sentences();
}
std::uint64_t Index::entries() const noexcept {
  return impl_->base ? impl_->base->trailer().entries : 0;
}

Index::Cursor::Found Index::Impl::find(BaseCursor& cursor, std::uint64_t location_hash, std::string_view name,
                                       Record& record, bool& of_base) const {
  of_base = false;
  if (!log->empty()) {
    switch (log->find(path_hash(location_hash, name), {cursor.location(), name}, record)) {
      case Log::Found::record:
        return Cursor::Found::yes;
      case Log::Found::removed:
        return Cursor::Found::no;
      case Log::Found::unreadable:
        return Cursor::Found::unreadable;
      case Log::Found::none:
        break;
    }
  }
  const Cursor::Found found = cursor.find(name, record);
  of_base = found == Cursor::Found::yes;
  return found;
}

Index::Cursor::Cursor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Index::Cursor::~Cursor() = default;
Index::Cursor::Cursor(Cursor&&) noexcept = default;
Index::Cursor& Index::Cursor::operator=(Cursor&&) noexcept = default;

Index::Cursor::Found Index::Cursor::find(std::string_view name, Record& record) {
  return impl_->index.find(impl_->base, impl_->hash, name, record, impl_->of_base);
}

bool Index::Cursor::is_of_base() const noexcept {
  return impl_->of_base;
}

std::optional<std::uint64_t> Index::Cursor::rows_in_base() const noexcept {
  return impl_->base.rows();
}

bool Index::Cursor::is_whole() const {
  return impl_->base.is_whole();
}

std::optional<std::string_view> Index::Cursor::next_name() {
  return impl_->base.next_name();
}

Index::Cursor Index::directory(std::string_view location) const {
  return Cursor(std::unique_ptr<Cursor::Impl>(new Cursor::Impl{
      *impl_, BaseCursor(impl_->base, std::string(location), Access::in_order), location_hash(location)}));
}

std::optional<std::uint64_t> Index::rows_in_base(std::string_view location) const {
  return impl_->base ? impl_->base->rows_of(location) : std::nullopt;
}

std::optional<Record> Index::find(PathView path) const {
  BaseCursor cursor(impl_->base, std::string(path.location), Access::random);
  cursor.seek(path.name);
  Record record;
  bool of_base = false;
  if (impl_->find(cursor, location_hash(path.location), path.name, record, of_base) != Cursor::Found::yes)
    return std::nullopt;
  return record;
}

std::optional<InodeHit> Index::Impl::hit_in_block(std::uint64_t offset, std::uint64_t device,
                                                  std::uint64_t inode) const {
  const std::optional<Block> block = base->block(offset, Access::random);
  if (!block) return std::nullopt;
  BlockReader reader(*block);
  Record record;
  while (reader.next_name(record) == BlockReader::Step::row) {
    const std::string_view name = reader.name();
    if (!reader.fields(record)) return std::nullopt;
    if (record.held.values.kind != Kind::file || record.held.inode != inode || record.held.device != device)
      continue;
    if (!check_path({block->location, name}, AllowRoot::no)) return std::nullopt;
    // The log may know more of that path, or that it went.
    if (!log->empty()) {
      const std::uint64_t hash = path_hash(location_hash(block->location), name);
      const Log::Found found = log->find(hash, {block->location, name}, record);
      if (found == Log::Found::removed || found == Log::Found::unreadable) continue;
      if (record.held.inode != inode || record.held.device != device) continue;
    }
    return InodeHit{std::string(block->location), std::string(name), record};
  }
  return std::nullopt;
}

std::optional<InodeHit> Index::find_inode(std::uint64_t device, std::uint64_t inode) const {
  if (!impl_->base || !impl_->base->usable()) return std::nullopt;
  const BaseFile& base = *impl_->base;
  std::vector<InodeRef> page;
  for (std::uint64_t i = base.inode_page_of(inode); i < base.inode_pages() && base.inode_page(i, page); ++i) {
    for (const InodeRef& ref : page) {
      if (ref.inode > inode) return std::nullopt;
      if (ref.inode != inode || (ref.block_and_device & ~kOffsetMax) != device_tag(device)) continue;
      if (std::optional<InodeHit> hit = impl_->hit_in_block(ref.block_and_device & kOffsetMax, device, inode))
        return hit;
    }
  }
  return std::nullopt;
}

Index::Writer::Writer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Index::Writer::~Writer() = default;
Index::Writer::Writer(Writer&&) noexcept = default;
Index::Writer& Index::Writer::operator=(Writer&&) noexcept = default;

Result<void> Index::Writer::begin_directory(std::string_view location) {
  return impl_->writer.begin_directory(location);
}
Result<void> Index::Writer::add(std::string_view name, const Record& record) {
  return impl_->writer.add(name, record);
}

Result<void> Index::Writer::keep_directory(std::string_view location) {
  return impl_->writer.keep_directory(location);
}

Result<Index::Writer> Index::rewrite() {
  if (impl_->absent) return fail(Errc::unsupported, trouble());
  return Writer(std::unique_ptr<Writer::Impl>(
      new Writer::Impl{BaseWriter(impl_->files, impl_->base), impl_->log->mark()}));
}

Result<void> Index::commit(Writer writer, const Header& given) {
  const Header header = impl_->own(given);
  const auto put_in_place = [&]() -> Result<void> {
    const std::uint64_t mark = writer.impl_->log_mark;
    SSYNC_TRY(const bool equal, writer.impl_->writer.finish_rows());
    if (!equal) {
      SSYNC_TRY(UniqueFd fd, writer.impl_->writer.finish(header));
      impl_->base = BaseFile::open(std::move(fd), impl_->damage);
      impl_->header = header;
      return impl_->log->restart(impl_->base->generation(), mark, nullptr);
    }
    // The base stands. What the log had in front of the mark is in what was added, and so in the base.
    const bool idle =
        header == impl_->header && impl_->log->empty() && impl_->log->size_bytes() < kLogBytesIdle;
    if (idle) return {};
    impl_->header = header;
    return impl_->log->restart(impl_->base->generation(), mark,
                               header == impl_->base->header() ? nullptr : &header);
  };
  return impl_->forgive(put_in_place());
}

Result<void> Index::append(PathView path, const Record& record) {
  SSYNC_TRY_VOID(check_path(path, AllowRoot::yes));
  if (!check_record(record))
    return fail(Errc::invalid_argument, "index: no valid record of " + printable(path));
  if (impl_->absent) return {};
  return impl_->forgive(impl_->log->append(path, &record));
}

Result<void> Index::append_removed(PathView path) {
  SSYNC_TRY_VOID(check_path(path, AllowRoot::yes));
  if (impl_->absent) return {};
  return impl_->forgive(impl_->log->append(path, nullptr));
}

Result<void> Index::append_header(const Header& given) {
  const Header header = impl_->own(given);
  if (header == impl_->header) return {};
  if (!impl_->absent) SSYNC_TRY_VOID(impl_->forgive(impl_->log->append_header(header)));
  impl_->header = header;
  return {};
}

std::optional<FileTime> Index::listed_at() const {
  return impl_->base ? impl_->files.mtime_of(impl_->files.base_name()) : std::nullopt;
}

void Index::set_listed_at(FileTime time) {
  if (impl_->base) impl_->files.set_mtime(impl_->files.base_name(), time);
}

Result<void> Index::flush_log(Durable durable) {
  if (impl_->absent) return {};
  return impl_->forgive(impl_->log->flush(durable));
}

}  // namespace ssync::index
