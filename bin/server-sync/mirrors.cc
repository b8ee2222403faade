#include "mirrors.h"

#include <sys/stat.h>

#include <filesystem>
#include <map>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "ssync/base/text.h"

namespace ssync::server_program {
namespace {

namespace stdfs = std::filesystem;

/// Where a mirror really is.
struct Place {
  using Inode = std::pair<dev_t, ino_t>;

  const MirrorOptions* mirror = nullptr;  ///< nullptr: the configuration's
  stdfs::path path;
  std::optional<Inode> inode;        ///< absent: there is nothing, or it cannot be looked at
  std::vector<std::string> parents;  ///< the directories that it is in, the nearest first
  std::vector<Inode> above;          ///< those of them that exist
};

std::optional<Place::Inode> inode_of(const stdfs::path& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return std::nullopt;
  return Place::Inode{found.st_dev, found.st_ino};
}

/// A disk that does not answer must not keep the other mirrors from being used, so what cannot be resolved is
/// compared as it is written.
stdfs::path resolved(const std::string& path) {
  std::error_code error;
  const stdfs::path absolute = stdfs::absolute(path, error);
  if (error) return stdfs::path(path).lexically_normal();
  stdfs::path real = stdfs::weakly_canonical(absolute, error);
  if (error) real = absolute.lexically_normal();
  return real.has_filename() ? real : real.parent_path();  // without '/' at its end
}

Place place_of(const std::string& path, const MirrorOptions* mirror) {
  Place place;
  place.mirror = mirror;
  place.path = resolved(path);
  place.inode = inode_of(place.path);
  for (stdfs::path at = place.path; at != at.parent_path();) {
    at = at.parent_path();
    place.parents.push_back(at.native());
    if (const std::optional<Place::Inode> inode = inode_of(at)) place.above.push_back(*inode);
  }
  return place;
}

std::string with_path(const Place& place) {
  const std::string& path = place.mirror->path;
  std::string text = fmt::format("{} ({}", describe(*place.mirror), escape(path));
  if (place.path != stdfs::path(path)) text += fmt::format(", which is {}", escape(place.path.native()));
  return text + ")";
}

/// Mirrors by name, path and inode, so that a collision among many is found without comparing each with each.
class Places {
 public:
  /// Errors: the name or the directory is there already.
  Result<void> add(const Place& place) {
    const auto [named, new_name] = names_.emplace(place.mirror->name, &place);
    if (!new_name) {
      return fail(Errc::invalid_argument,
                  fmt::format("{} is there twice: {} and {}", describe(*place.mirror),
                              escape(named->second->mirror->path), escape(place.mirror->path)));
    }
    const auto [at, new_path] = paths_.emplace(place.path.native(), &place);
    const Place* other = new_path ? nullptr : at->second;
    if (place.inode) {
      const auto [found, new_inode] = inodes_.emplace(*place.inode, &place);
      if (!new_inode) other = found->second;
    }
    if (other == nullptr) return {};
    return fail(Errc::invalid_argument,
                fmt::format("{} and {} are one directory", with_path(*other), with_path(place)));
  }

  /// A mirror that `place` is somewhere inside; nullptr: none.
  const Place* around(const Place& place) const {
    for (const std::string& parent : place.parents)
      if (const auto found = paths_.find(parent); found != paths_.end()) return found->second;
    for (const Place::Inode& inode : place.above)
      if (const auto found = inodes_.find(inode); found != inodes_.end()) return found->second;
    return nullptr;
  }

 private:
  std::map<std::string, const Place*> names_;
  std::map<std::string, const Place*> paths_;
  std::map<Place::Inode, const Place*> inodes_;
};

}  // namespace

std::string describe(const MirrorOptions& mirror) {
  return mirror.name.empty() ? "the mirror without a name" : fmt::format("mirror '{}'", escape(mirror.name));
}

Result<void> check_mirrors(const std::vector<MirrorOptions>& mirrors,
                           const std::optional<std::string>& config) {
  if (mirrors.size() < 2 && !config) return {};
  std::vector<Place> all;
  all.reserve(mirrors.size());
  for (const MirrorOptions& mirror : mirrors)
    all.push_back(place_of(mirror.path, &mirror));
  Places places;
  for (const Place& place : all)
    SSYNC_TRY_VOID(places.add(place));
  for (const Place& inner : all) {
    if (const Place* outer = places.around(inner)) {
      return fail(Errc::invalid_argument, fmt::format("{} is inside {}, whose syncs would delete it",
                                                      with_path(inner), with_path(*outer)));
    }
  }
  const Place* outer = config ? places.around(place_of(*config, nullptr)) : nullptr;
  if (outer == nullptr) return {};
  return fail(Errc::invalid_argument,
              fmt::format("the configuration {} is inside {}, whose clients could overwrite it",
                          escape(*config), with_path(*outer)));
}

}  // namespace ssync::server_program
