#include "ssync/base/result.h"

#include <cerrno>
#include <memory>

#include <gtest/gtest.h>

namespace ssync {
namespace {

TEST(ResultTest, ErrnoErrorEndsWithTheSystemsWords) {
  const Error error = errno_error("rename", ENOSPC).with_context("staging a/b.txt");

  EXPECT_EQ(error.text(), "staging a/b.txt: rename: No space left on device");
  EXPECT_EQ(error.code, Errc::no_space);
  EXPECT_EQ(error.sys_errno, ENOSPC);
}

TEST(ResultTest, TextWithoutErrnoIsTheMessage) {
  const Error error{Errc::limit, "too deep", 0};

  EXPECT_EQ(error.text(), "too deep");
  EXPECT_EQ(context(error, "a/b").text(), "a/b: too deep");
}

TEST(ResultTest, UnknownErrnoIsNamedByNumber) {
  EXPECT_EQ(errno_error("read", 98765).text(), "read: errno 98765");
  EXPECT_EQ(errno_error("read", 98765).code, Errc::io);
}

TEST(ResultTest, ErrnoMapsToWhatACallerDoesDifferently) {
  struct Row {
    int err;
    Errc code;
  };
  for (const Row& row :
       {Row{EINVAL, Errc::invalid_argument}, Row{ENOENT, Errc::not_found}, Row{EEXIST, Errc::already_exists},
        Row{ENOTDIR, Errc::not_directory}, Row{EISDIR, Errc::is_directory}, Row{ENOTEMPTY, Errc::not_empty},
        Row{EACCES, Errc::permission}, Row{EPERM, Errc::permission}, Row{EDQUOT, Errc::no_space},
        Row{EROFS, Errc::read_only}, Row{EXDEV, Errc::cross_device}, Row{ENAMETOOLONG, Errc::too_long},
        Row{EIO, Errc::io}, Row{EBUSY, Errc::busy}, Row{EMFILE, Errc::limit},
        Row{EOPNOTSUPP, Errc::unsupported}}) {
    EXPECT_EQ(errc_of_errno(row.err), row.code) << row.err << " gave " << to_string(errc_of_errno(row.err));
  }
}

TEST(ResultTest, TheSystemNeverSaysWhatOnlyAPeerOrAPartOfThisProgramSays) {
  for (int err = 1; err < 200; ++err) {
    const Errc code = errc_of_errno(err);
    for (const Errc ours : {Errc::closed, Errc::interrupted, Errc::protocol, Errc::version, Errc::refused,
                            Errc::corrupt, Errc::lost}) {
      EXPECT_NE(code, ours) << errno_error("stat", err).text();
    }
  }
}

Result<int> half(int number) {
  if (number % 2 != 0) return fail(Errc::invalid_argument, "odd");
  return number / 2;
}

Result<std::unique_ptr<int>> quarter(int number) {
  SSYNC_TRY(const int once, half(number));
  int twice = 0;
  SSYNC_TRY(twice, half(once));
  return std::make_unique<int>(twice);
}

Result<> at_most_100(int number) {
  if (number > 100) return fail(Errc::limit, "big");
  return {};
}

Result<> check_quarter(int number) {
  // One statement, so no braces are needed.
  if (number != 0)
    SSYNC_TRY_VOID(at_most_100(number));
  else
    return {};
  SSYNC_TRY(auto owned, quarter(number));
  return *owned == 0 ? fail(Errc::io, "zero") : Result<>();
}

TEST(ResultTest, TryPassesValuesOnAndReturnsTheFirstError) {
  EXPECT_EQ(**quarter(12), 3);
  EXPECT_EQ(quarter(6).error(), (Error{Errc::invalid_argument, "odd", 0}));
  EXPECT_TRUE(check_quarter(8).has_value());
  EXPECT_EQ(check_quarter(10).error().message, "odd");
  EXPECT_EQ(check_quarter(200).error().code, Errc::limit);
}

TEST(ResultTest, MapErrorAddsContext) {
  const auto result = half(3).map_error([](Error error) { return context(std::move(error), "row 7"); });

  EXPECT_EQ(result.error().text(), "row 7: odd");
}

TEST(ResultDeathTest, FailedAssertionAbortsWithPlaceAndText) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(SSYNC_ASSERT(1 + 1 == 3), "result_test.cc:[0-9]+: assertion failed: 1 \\+ 1 == 3");
}

}  // namespace
}  // namespace ssync
