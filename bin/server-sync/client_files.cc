#include "client_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <map>
#include <system_error>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ssync/base/text.h"
#include "ssync/base/unique_fd.h"
#include "ssync/net/private_file.h"

#include "config_file.h"
#include "option_layers.h"
#include "words.h"

namespace ssync::server_program {
namespace {

using programs::ConfigFile;

constexpr std::string_view kSuffix = ".toml";
constexpr std::size_t kFilesMax = 10'000;

struct Table {
  std::string key, mirrors, rights, expires, valid_until;
};

/// Who can write it can enter a key.
Result<void> check_owner(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return fail(errno_error(escape(path), errno));
  if (status.st_uid != 0 && status.st_uid != ::geteuid()) {
    return fail(Errc::permission, fmt::format("{} belongs to user {}: chown {} {}", escape(path),
                                              status.st_uid, ::geteuid(), escape(path)));
  }
  if (!S_ISLNK(status.st_mode) && (status.st_mode & 022U) != 0) {
    return fail(Errc::permission, fmt::format("{} can be written by others (mode {:04o}): chmod go-w {}",
                                              escape(path), status.st_mode & 07777U, escape(path)));
  }
  return {};
}

Result<Table> read_table(const std::string& path) {
  SSYNC_TRY_VOID(check_owner(path));
  SSYNC_TRY(const ConfigFile file, programs::read_config(path));
  Table table;
  CLI::App app;
  app.add_option("--key", table.key);
  app.add_option("--mirrors", table.mirrors);
  app.add_option("--rights", table.rights);
  app.add_option("--expires", table.expires);
  app.add_option("--valid-until", table.valid_until);
  SSYNC_TRY_VOID(programs::OptionLayers(app, "").take_table(file, file.items));
  if (table.key.empty()) return fail(Errc::invalid_argument, escape(path) + ": there is no key");
  return table;
}

Result<serve::Client> client_of(const std::string& name, const Table& table) {
  serve::Client client;
  client.name = name;
  SSYNC_TRY(client.key, net::parse_public_key(table.key));
  SSYNC_TRY(client.rights, parse_rights(table.rights));
  client.rights.mirrors = programs::split_list(table.mirrors);
  if (!table.expires.empty()) {
    SSYNC_TRY(client.rights.expires, programs::parse_time(table.expires));
  }
  return client;
}

Result<serve::Client> read_client(const std::string& path, const std::string& name) {
  SSYNC_TRY(const Table table, read_table(path));
  Result<serve::Client> client = client_of(name, table);
  if (!client) return fail(context(std::move(client).error(), escape(path)));
  return client;
}

Result<serve::Invitation> read_invitation(const std::string& path, const std::string& name) {
  SSYNC_TRY(const Table table, read_table(path));
  const auto wrong = [&](Error error) { return fail(context(std::move(error), escape(path))); };
  const auto key = net::parse_public_key(table.key);
  if (!key) return wrong(key.error());
  const auto until = programs::parse_time(table.valid_until);
  if (!until) return wrong(until.error());
  return serve::Invitation{name, *key, *until};
}

std::string table_text(const std::string& key, const std::string& mirrors, const std::string& rights,
                       const std::string& expires) {
  std::string out = fmt::format("key = \"{}\"\n", key);
  if (!mirrors.empty()) out += fmt::format("mirrors = \"{}\"\n", mirrors);
  if (!rights.empty()) out += fmt::format("rights = \"{}\"\n", rights);
  if (!expires.empty()) out += fmt::format("expires = \"{}\"\n", expires);
  return out;
}

/// The names of the files in the directory, in order; none when it is not there.
Result<std::vector<std::string>> names_in(const std::string& directory) {
  std::vector<std::string> out;
  std::error_code error;
  std::filesystem::directory_iterator entry(directory, error);
  if (error == std::errc::no_such_file_or_directory) return out;
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    std::string name = entry->path().filename().native();
    if (!name.ends_with(kSuffix) || name.starts_with('.')) continue;
    if (out.size() == kFilesMax)
      return fail(Errc::limit, fmt::format("{}: more than {} files", escape(directory), kFilesMax));
    out.push_back(name.substr(0, name.size() - kSuffix.size()));
  }
  if (error) return fail(errno_error(escape(directory), error.value()));
  std::ranges::sort(out);
  return out;
}

std::string path_in(const std::string& directory, std::string_view name) {
  return fmt::format("{}/{}{}", directory, name, kSuffix);
}

/// A right with a number. Bytes may have a unit, as rsync's sizes have.
struct NumberRight {
  std::string_view name;
  std::optional<std::uint64_t> mirror::Limits::*member;
  bool is_bytes;
};
constexpr std::array<NumberRight, 3> kNumberRights{{
    {"max-delete", &mirror::Limits::max_delete, false},
    {"max-entries", &mirror::Limits::max_entries, false},
    {"max-bytes", &mirror::Limits::max_bytes, true},
}};

/// "max-delete=100". nullptr: it is none of them.
const NumberRight* number_right(std::string_view word) {
  const auto found = std::ranges::find(kNumberRights, word.substr(0, word.find('=')), &NumberRight::name);
  return found == kNumberRights.end() ? nullptr : &*found;
}

Result<std::uint64_t> number_of(const NumberRight& right, std::string_view word) {
  const std::string_view digits = word.substr(std::min(word.size(), right.name.size() + 1));
  if (right.is_bytes) return programs::parse_size(digits);
  std::uint64_t number = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, number);
  if (error != std::errc() || stop != end)
    return fail(Errc::invalid_argument, fmt::format("the right '{}' has no number", escape(word)));
  return number;
}

}  // namespace

Result<serve::Rights> parse_rights(std::string_view text) {
  serve::Rights rights;
  bool push = false;
  for (const std::string& word : programs::split_list(text)) {
    if (word == "push") {
      push = true;
    } else if (word == "look") {
      rights.look_only = true;
    } else if (word == "no-delete") {
      rights.no_delete = true;
    } else if (word == "monitor") {
      rights.monitor = true;
    } else if (const NumberRight* const right = number_right(word)) {
      SSYNC_TRY(rights.limits.*(right->member), number_of(*right, word));
    } else {
      return fail(Errc::invalid_argument,
                  fmt::format("'{}' is no right; there are push, look, monitor, no-delete, max-delete=N, "
                              "max-entries=N, max-bytes=SIZE",
                              escape(word)));
    }
  }
  if (push && rights.look_only)
    return fail(Errc::invalid_argument, "a client may either push or look: say one of them");
  return rights;
}

std::string text_of(const serve::Rights& rights) {
  std::string out = rights.look_only ? "look" : "push";
  if (rights.monitor) out += ",monitor";
  if (rights.no_delete) out += ",no-delete";
  for (const NumberRight& right : kNumberRights) {
    if (const auto& number = rights.limits.*(right.member))
      out += fmt::format(",{}={}", right.name,
                         right.is_bytes ? programs::text_of_size(*number) : std::to_string(*number));
  }
  return out;
}

Result<void> ClientFiles::make_directories() const {
  for (const std::string& directory : {clients_directory(), invitations_directory(), directory_ + "/seen"})
    SSYNC_TRY_VOID(net::make_directories(directory));
  return {};
}

Result<ClientFiles::Loaded> ClientFiles::load() const {
  Loaded out;
  std::map<net::PublicKey, std::string> owners;
  const auto is_first = [&](const net::PublicKey& key, const std::string& path) {
    const auto [found, is_new] = owners.emplace(key, path);
    if (!is_new) {
      out.problems.push_back(
          fmt::format("{}: has the key of {}: it is left out", escape(path), escape(found->second)));
    }
    return is_new;
  };
  SSYNC_TRY(const auto clients, names_in(clients_directory()));
  for (const std::string& name : clients) {
    const std::string path = path_in(clients_directory(), name);
    Result<serve::Client> client = read_client(path, name);
    if (!client) {
      out.problems.push_back(client.error().text());
    } else if (is_first(client->key, path)) {
      out.clients.clients.push_back(*std::move(client));
    }
  }
  SSYNC_TRY(const auto invitations, names_in(invitations_directory()));
  for (const std::string& name : invitations) {
    const std::string path = path_in(invitations_directory(), name);
    Result<serve::Invitation> invitation = read_invitation(path, name);
    if (!invitation) {
      out.problems.push_back(invitation.error().text());
    } else if (is_first(invitation->key, path)) {
      out.clients.invitations.push_back(*std::move(invitation));
    }
  }
  return out;
}

Result<void> ClientFiles::invite(const NewInvitation& invitation) const {
  SSYNC_TRY_VOID(make_directories());
  if (std::filesystem::exists(path_in(clients_directory(), invitation.name))) {
    return fail(
        Errc::already_exists,
        fmt::format("'{}' is a client already: take another name, or --revoke it", escape(invitation.name)));
  }
  const std::string text =
      table_text(net::text_of(invitation.key), invitation.mirrors, invitation.rights, "") +
      fmt::format("valid-until = \"{}\"\n", programs::text_of(invitation.valid_until));
  return net::write_private_file(path_in(invitations_directory(), invitation.name), text,
                                 net::IfThere::replace);
}

Result<serve::Client> ClientFiles::enter(const serve::Invitation& invitation,
                                         const net::PublicKey& key) const {
  const std::string invited = path_in(invitations_directory(), invitation.name);
  const std::string entered = path_in(clients_directory(), invitation.name);
  SSYNC_TRY(const Loaded before, load());
  for (const serve::Client& other : before.clients.clients) {
    if (other.key == key)
      return fail(Errc::already_exists,
                  fmt::format("this client's key is known here already, as '{}'", escape(other.name)));
  }
  SSYNC_TRY(Table table, read_table(invited));
  if (table.key != net::text_of(invitation.key))
    return fail(Errc::not_found, "the invitation was replaced by another one");
  table.key = net::text_of(key);
  const std::string text = table_text(table.key, table.mirrors, table.rights, table.expires);
  // Who reads the files meanwhile finds the one or the other. One of two who come at the same time gets it.
  const Result<void> written = net::write_private_file(entered, text, net::IfThere::keep);
  if (!written && written.error().code == Errc::already_exists)
    return fail(Errc::already_exists, fmt::format("there is a client '{}' already", escape(invitation.name)));
  if (!written) return fail(written.error());
  if (::unlink(invited.c_str()) != 0) {
    ::unlink(entered.c_str());
    return fail(Errc::not_found, "the invitation was used or revoked meanwhile");
  }
  return client_of(invitation.name, table);
}

Result<void> ClientFiles::revoke(const std::string& name) const {
  bool any = false;
  for (const std::string& directory : {clients_directory(), invitations_directory()}) {
    const std::string path = path_in(directory, name);
    if (::unlink(path.c_str()) == 0) {
      any = true;
    } else if (errno != ENOENT) {
      return fail(errno_error("remove " + escape(path), errno));
    }
  }
  if (any) return {};
  return fail(Errc::not_found,
              fmt::format("there is no client '{}'; --clients shows those that there are", escape(name)));
}

void ClientFiles::note_seen(const std::string& name) const noexcept {
  const std::string path = directory_ + "/seen/" + name;
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (fd) static_cast<void>(::futimens(fd.get(), nullptr));
}

std::optional<std::chrono::system_clock::time_point> ClientFiles::last_seen(const std::string& name) const {
  struct stat status {};
  if (::lstat((directory_ + "/seen/" + name).c_str(), &status) != 0) return std::nullopt;
  return std::chrono::system_clock::from_time_t(status.st_mtime);
}

}  // namespace ssync::server_program
