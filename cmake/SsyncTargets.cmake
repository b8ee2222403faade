# How the targets of this project are made. Module files are lists; the flags and conventions are here.

include_guard(GLOBAL)
include(GNUInstallDirs)
include(GoogleTest)

# ssync_module(<name> [HEADERS ...] [SOURCES ...] [DEPS ...] [PRIVATE_DEPS ...])
#
# Library ssync_<name>, alias ssync::<name>. HEADERS are public and lie below include/ (ssync/<name>/x.h); nobody sees
# another module's headers without linking it. DEPS are PUBLIC: what the headers show. PRIVATE_DEPS: what only the
# sources use. Without SOURCES it is an INTERFACE library.
function(ssync_module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "HEADERS;SOURCES;DEPS;PRIVATE_DEPS")
  _ssync_reject_unparsed(ssync_module "${name}" "${arg_UNPARSED_ARGUMENTS}")
  set(target ssync_${name})
  if(arg_SOURCES)
    set(visibility PUBLIC)
    add_library(${target} STATIC ${arg_SOURCES})
    target_link_libraries(${target} PRIVATE ssync_settings ${arg_PRIVATE_DEPS})
  else()
    set(visibility INTERFACE)
    add_library(${target} INTERFACE)
  endif()
  add_library(ssync::${name} ALIAS ${target})
  target_link_libraries(${target} ${visibility} ${arg_DEPS})
  if(arg_SOURCES)
    set_property(GLOBAL APPEND PROPERTY SSYNC_LIBRARY_OBJECTS $<TARGET_OBJECTS:${target}>)
  endif()
  if(arg_HEADERS)
    target_sources(${target} ${visibility} FILE_SET HEADERS BASE_DIRS include FILES ${arg_HEADERS})
    set_target_properties(${target} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ${SSYNC_VERIFY_HEADERS})
  endif()
endfunction()

# ssync_test(<module> SOURCES ... [DEPS ...] [PROGRAMS ...] [TIMEOUT_S <seconds>])
#
# Executable ssync_<module>_tests with GoogleTest's main, linked to ssync::<module> where that exists; each of its test
# cases is a ctest case with label <module>. Property tests add ssync_dep_rapidcheck to DEPS. PROGRAMS names programs
# that the tests run: they are built first, and SSYNC_BIN_DIR (a string macro) says where they are. The target
# program_tests builds such tests. What has none is a unit test: the target unit_tests builds them all, and with
# SSYNC_TESTS=unit there are no others.
function(ssync_test module)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT_S" "SOURCES;DEPS;PROGRAMS")
  _ssync_reject_unparsed(ssync_test "${module}" "${arg_UNPARSED_ARGUMENTS}")
  if(NOT arg_TIMEOUT_S)
    set(arg_TIMEOUT_S ${SSYNC_TEST_TIMEOUT_S})
  endif()
  if(arg_PROGRAMS AND SSYNC_TESTS STREQUAL "unit")
    return()
  endif()
  set(target ssync_${module}_tests)
  add_executable(${target} ${arg_SOURCES})
  if(arg_PROGRAMS)
    add_dependencies(program_tests ${target})
  else()
    add_dependencies(unit_tests ${target})
  endif()
  if(TARGET ssync::${module})
    target_link_libraries(${target} PRIVATE ssync::${module})
  endif()
  target_link_libraries(${target} PRIVATE ssync_settings ${arg_DEPS} ssync_dep_gtest_main)
  target_compile_options(${target} PRIVATE ${SSYNC_TEST_OPTIONS})
  if(TARGET ssync_test_headers)
    target_precompile_headers(${target} REUSE_FROM ssync_test_headers)
  endif()
  if(arg_PROGRAMS)
    add_dependencies(${target} ${arg_PROGRAMS})
    target_compile_definitions(${target} PRIVATE SSYNC_BIN_DIR="${CMAKE_BINARY_DIR}/bin")
  endif()
  # PRE_TEST: the binary is asked for its cases when ctest starts, not while it is being linked.
  gtest_discover_tests(${target}
    DISCOVERY_MODE PRE_TEST
    DISCOVERY_TIMEOUT 60
    # Parameters in names would be raw bytes, addresses even, for types without a printer.
    NO_PRETTY_VALUES
    PROPERTIES TIMEOUT ${arg_TIMEOUT_S} LABELS ${module})
endfunction()

# ssync_precompile_test_headers()
#
# The headers of libraries that tests include are compiled once for all of them: a third less time a test. A test that
# forgets to include one is found by the other presets.
function(ssync_precompile_test_headers)
  set(source "${CMAKE_BINARY_DIR}/test_headers.cc")
  file(CONFIGURE OUTPUT "${source}" CONTENT "int main() {}\n")
  # A program, as tests are: what they reuse must have been compiled with the same options.
  add_executable(ssync_test_headers "${source}")
  target_link_libraries(ssync_test_headers PRIVATE ssync_settings ssync_dep_fmt ssync_dep_gtest_main)
  target_compile_options(ssync_test_headers PRIVATE ${SSYNC_TEST_OPTIONS})
  target_precompile_headers(ssync_test_headers PRIVATE
    <algorithm> <array> <chrono> <filesystem> <functional> <map> <memory> <optional> <random> <set> <span> <string>
    <string_view> <thread> <unordered_map> <variant> <vector> <fmt/format.h> <gmock/gmock.h> <gtest/gtest.h>)
endfunction()

# ssync_benchmark(<module> SOURCES ... [DEPS ...])
#
# Executable ssync_<module>_benchmark, linked to ssync::<module>; SOURCES define main. Built with everything else, so
# that it cannot rot; run by hand, in the release preset.
function(ssync_benchmark module)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPS")
  _ssync_reject_unparsed(ssync_benchmark "${module}" "${arg_UNPARSED_ARGUMENTS}")
  set(target ssync_${module}_benchmark)
  add_executable(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE ssync::${module} ssync_settings ${arg_DEPS} ssync_dep_benchmark)
  add_dependencies(unit_tests ${target})
endfunction()

# ssync_program(<name> SOURCES ... [DEPS ...] [NOT_INSTALLED])
#
# Executable <name> in <build>/bin, installed unless it is only for tests. SSYNC_VERSION (a string macro) is the project's version.
function(ssync_program name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "NOT_INSTALLED" "" "SOURCES;DEPS")
  _ssync_reject_unparsed(ssync_program "${name}" "${arg_UNPARSED_ARGUMENTS}")
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ssync_settings ${arg_DEPS})
  target_compile_definitions(${name} PRIVATE SSYNC_VERSION="${PROJECT_VERSION}")
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
  if(NOT arg_NOT_INSTALLED)
    install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
endfunction()

# ssync_fuzz(<name> SOURCES ... [DEPS ...] [CORPUS <folder>])
#
# SOURCES define LLVMFuzzerTestOneInput. With SSYNC_FUZZ: the program ssync_<name>_fuzz, and a short ctest run of it
# over the corpus. Without: only compiled, so that it cannot rot.
function(ssync_fuzz name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "CORPUS" "SOURCES;DEPS")
  _ssync_reject_unparsed(ssync_fuzz "${name}" "${arg_UNPARSED_ARGUMENTS}")
  set(target ssync_${name}_fuzz)
  if(NOT SSYNC_FUZZ)
    add_library(${target} OBJECT ${arg_SOURCES})
    target_link_libraries(${target} PRIVATE ssync_settings ${arg_DEPS})
    target_include_directories(${target} PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}")
    add_dependencies(unit_tests ${target})
    return()
  endif()
  add_executable(${target} ${arg_SOURCES})
  add_dependencies(unit_tests ${target})
  target_link_libraries(${target} PRIVATE ssync_settings ${arg_DEPS})
  target_include_directories(${target} PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}")
  target_link_options(${target} PRIVATE -fsanitize=fuzzer)
  # The first corpus folder receives new inputs, so it is one in the build tree.
  set(found "${CMAKE_CURRENT_BINARY_DIR}/${name}_corpus")
  file(MAKE_DIRECTORY "${found}")
  set(corpus "${found}")
  if(arg_CORPUS)
    cmake_path(ABSOLUTE_PATH arg_CORPUS BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
    list(APPEND corpus "${arg_CORPUS}")
  endif()
  add_test(NAME fuzz.${name} COMMAND ${target} -max_total_time=30 -timeout=10 -rss_limit_mb=2048 ${corpus})
  set_tests_properties(fuzz.${name} PROPERTIES TIMEOUT 120 LABELS fuzz)
endfunction()

# ssync_add_folders(<parent> <folder>...): add_subdirectory for each.
function(ssync_add_folders parent)
  foreach(folder IN LISTS ARGN)
    set(path ${parent}/${folder})
    # <build>/bin holds the programs themselves, so the folders of bin/ build beside it.
    string(REGEX REPLACE "^bin/" "programs/" build_path ${path})
    add_subdirectory(${path} ${build_path})
  endforeach()
endfunction()

function(ssync_summary)
  list(JOIN SSYNC_FOUND ", " found)
  message(STATUS "server-sync ${PROJECT_VERSION}")
  message(STATUS "  compiler    ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}, ${CMAKE_BUILD_TYPE}")
  message(STATUS "  libraries   ${found}")
  message(STATUS "  sanitizer   '${SSYNC_SANITIZE}', fuzz ${SSYNC_FUZZ}, tests ${SSYNC_BUILD_TESTS}, -Werror ${SSYNC_WERROR}")
  message(STATUS "  launcher    '${CMAKE_CXX_COMPILER_LAUNCHER}'")
endfunction()

function(_ssync_reject_unparsed function name arguments)
  if(NOT arguments STREQUAL "")
    message(FATAL_ERROR "${function}(${name}): unknown arguments: ${arguments}")
  endif()
endfunction()
