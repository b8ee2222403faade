# Third-party libraries, one target each; module files link these names and nothing else.
#
#   ssync_dep_zmq         libzmq + cppzmq        (linked by net only)
#   ssync_dep_msgpack     msgpack-cxx, header-only, without Boost
#   ssync_dep_crypto      OpenSSL libcrypto
#   ssync_dep_xxhash      libxxhash
#   ssync_dep_fmt         fmt
#   ssync_dep_spdlog      spdlog, using the external fmt
#   ssync_dep_expected    tl::expected
#   ssync_dep_json        nlohmann/json
#   ssync_dep_cli11       CLI11                  (programs only)
#   ssync_dep_toml        toml++, its shared library (programs only)
#   ssync_dep_qrencode    libqrencode            (server-sync only)
#   ssync_dep_threads     POSIX threads
#   ssync_dep_gtest       GoogleTest + GoogleMock
#   ssync_dep_gtest_main  the same with main()
#   ssync_dep_benchmark   Google Benchmark
#   ssync_dep_rapidcheck  RapidCheck with its gtest and gmock extras
#
# Include folders of imported targets are SYSTEM, so our warnings stop at their headers.

include_guard(GLOBAL)

set(SSYNC_FOUND "" CACHE INTERNAL "lines of the configure summary")

function(_ssync_dependency name version)
  add_library(ssync_dep_${name} INTERFACE)
  target_link_libraries(ssync_dep_${name} INTERFACE ${ARGN})
  if(NOT version STREQUAL "")
    set(SSYNC_FOUND ${SSYNC_FOUND} "${name} ${version}" CACHE INTERNAL "")
  endif()
endfunction()

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
_ssync_dependency(threads "" Threads::Threads)

find_package(PkgConfig REQUIRED)
pkg_check_modules(ssync_zmq REQUIRED IMPORTED_TARGET libzmq>=4.3 cppzmq>=4.9)
_ssync_dependency(zmq "${ssync_zmq_libzmq_VERSION} (cppzmq ${ssync_zmq_cppzmq_VERSION})" PkgConfig::ssync_zmq)

# The package's own CMake target requires Boost, the header does not: MSGPACK_NO_BOOST.
find_path(SSYNC_MSGPACK_INCLUDE_DIR msgpack.hpp REQUIRED)
mark_as_advanced(SSYNC_MSGPACK_INCLUDE_DIR)
_ssync_dependency(msgpack "(header only)")
target_include_directories(ssync_dep_msgpack SYSTEM INTERFACE "${SSYNC_MSGPACK_INCLUDE_DIR}")
target_compile_definitions(ssync_dep_msgpack INTERFACE MSGPACK_NO_BOOST)

find_package(OpenSSL 3.0 REQUIRED COMPONENTS Crypto)
_ssync_dependency(crypto "${OPENSSL_VERSION}" OpenSSL::Crypto)

pkg_check_modules(ssync_xxhash REQUIRED IMPORTED_TARGET libxxhash>=0.8)
_ssync_dependency(xxhash "${ssync_xxhash_VERSION}" PkgConfig::ssync_xxhash)

find_package(fmt 9 REQUIRED)
_ssync_dependency(fmt "${fmt_VERSION}" fmt::fmt)

find_package(spdlog 1.10 REQUIRED)
_ssync_dependency(spdlog "${spdlog_VERSION}" spdlog::spdlog)

find_package(tl-expected 1.0 REQUIRED)
_ssync_dependency(expected "${tl-expected_VERSION}" tl::expected)

find_package(nlohmann_json 3.11 REQUIRED)
_ssync_dependency(json "${nlohmann_json_VERSION}" nlohmann_json::nlohmann_json)

find_package(CLI11 2.1 REQUIRED)
_ssync_dependency(cli11 "${CLI11_VERSION}" CLI11::CLI11)

pkg_check_modules(ssync_toml REQUIRED IMPORTED_TARGET tomlplusplus>=3.3)
_ssync_dependency(toml "${ssync_toml_VERSION}" PkgConfig::ssync_toml)

pkg_check_modules(ssync_qrencode REQUIRED IMPORTED_TARGET libqrencode>=4.0)
_ssync_dependency(qrencode "${ssync_qrencode_VERSION}" PkgConfig::ssync_qrencode)

if(SSYNC_BUILD_TESTS)
  find_package(GTest 1.12 CONFIG REQUIRED)
  _ssync_dependency(gtest "${GTest_VERSION}" GTest::gtest GTest::gmock)
  _ssync_dependency(gtest_main "" ssync_dep_gtest GTest::gmock_main)

  find_package(benchmark 1.7 REQUIRED)
  _ssync_dependency(benchmark "${benchmark_VERSION}" benchmark::benchmark)

  # No version in its package file.
  find_package(rapidcheck CONFIG REQUIRED)
  _ssync_dependency(rapidcheck "(static)" rapidcheck rapidcheck_gtest rapidcheck_gmock ssync_dep_gtest)
endif()
