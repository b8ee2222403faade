// Carries changes out on a tree in memory and refuses what a careful program would refuse.
#pragma once

#include <map>
#include <string>

#include "ssync/model/change.h"
#include "ssync/model/tree_digest.h"
#include "ssync/planner/planner.h"

#include "tree.h"

namespace ssync::planner::test {

class Applier {
 public:
  /// `source` serves requests; rows that are right afterwards are added to `digest`.
  Applier(const Tree& source, Tree& mirror, TreeDigest& digest, const Options& options);
  /// Empty, or what is wrong with the change.
  [[nodiscard]] std::string apply(const Change& change);
  /// Empty, or what is left in staging.
  [[nodiscard]] std::string finish() const;

 private:
  std::string check_place(const Change& change) const;
  std::string check_content(const Change& change, const std::string& content) const;
  std::string check_from(const Change& change) const;
  std::string create(const Change& change, Kind kind);
  std::string respell(const Change& change);
  std::string copy_or_move(const Change& change);
  std::string exchange(const Change& change);
  std::string move_directory(const Change& change);
  std::string stage(const Change& change);
  std::string publish(const Change& change);
  std::string remove(const Change& change);
  std::string request(const Change& change);
  std::string set_metadata(const Change& change);

  void place(const Change& change, Node node);
  void touch(const std::string& path);
  void fold(const std::string& path, const Node& node, const Values& wanted);

  const Tree& source_;
  Tree& mirror_;
  TreeDigest& digest_;
  const Options& options_;
  std::vector<std::string> source_paths_;  // by row
  std::map<std::string, Node> staged_;
};

}  // namespace ssync::planner::test
