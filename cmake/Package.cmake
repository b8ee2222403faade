# libserversync: all modules as one library, with the headers that a program needs to serve and to send, and the CMake
# package `serversync`. Include it after the modules.

include_guard(GLOBAL)
include(CMakePackageConfigHelpers)

get_property(_ssync_objects GLOBAL PROPERTY SSYNC_LIBRARY_OBJECTS)
add_library(serversync STATIC ${_ssync_objects})
add_library(serversync::serversync ALIAS serversync)
set_target_properties(serversync PROPERTIES LINKER_LANGUAGE CXX)
# fmt, spdlog and tl::expected have packages of their own; the rest is found by pkg-config.
target_link_libraries(serversync
  PUBLIC tl::expected
  PRIVATE fmt::fmt spdlog::spdlog OpenSSL::Crypto Threads::Threads PkgConfig::ssync_zmq PkgConfig::ssync_xxhash)
target_compile_features(serversync PUBLIC cxx_std_20)

# ssync/serve/server.h and ssync/source/source.h, and what they include.
set(_ssync_headers
  base/assert.h base/buffer.h base/exit_code.h base/result.h base/secret.h base/thread_counts.h base/watched.h
  model/change.h model/entry.h model/path.h model/tree_digest.h
  wire/limits.h wire/messages.h
  mirror/observer.h mirror/options.h
  net/keys.h net/own_key.h
  serve/clients.h serve/observer.h serve/server.h
  source/observer.h source/source.h)
foreach(header IN LISTS _ssync_headers)
  string(REGEX MATCH "^[a-z]+" module ${header})
  list(APPEND _ssync_header_files "${PROJECT_SOURCE_DIR}/modules/${module}/include/ssync/${header}")
  list(APPEND _ssync_header_folders "${PROJECT_SOURCE_DIR}/modules/${module}/include")
endforeach()
list(REMOVE_DUPLICATES _ssync_header_folders)
target_sources(serversync PUBLIC FILE_SET HEADERS BASE_DIRS ${_ssync_header_folders} FILES ${_ssync_header_files})

install(TARGETS serversync EXPORT serversync
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
set(_ssync_package ${CMAKE_INSTALL_LIBDIR}/cmake/serversync)
install(EXPORT serversync NAMESPACE serversync:: DESTINATION ${_ssync_package} FILE serversync-targets.cmake)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/serversync-config.cmake.in
  ${CMAKE_CURRENT_BINARY_DIR}/serversync-config.cmake INSTALL_DESTINATION ${_ssync_package})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/serversync-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/serversync-config.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/serversync-config-version.cmake DESTINATION ${_ssync_package})
