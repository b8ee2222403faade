# Installs the build, compiles the README's program against it, and runs it.
cmake_minimum_required(VERSION 3.25)

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT code EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}: ${code}\n${output}")
  endif()
endfunction()

file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}/source/below" "${WORK}/mirror" "${WORK}/state")

# The block of C++ that includes the server's header.
file(READ "${README}" text)
string(FIND "${text}" "```cpp\n// mirror.cc" begin)
if(begin EQUAL -1)
  message(FATAL_ERROR "${README} has no program")
endif()
math(EXPR begin "${begin} + 7")
string(SUBSTRING "${text}" ${begin} -1 program)
string(FIND "${program}" "\n```" end)
string(SUBSTRING "${program}" 0 ${end} program)
file(WRITE "${WORK}/mirror.cc" "${program}\n")
string(REGEX MATCHALL "\n" lines "${program}")
list(LENGTH lines count)
if(count GREATER 34)
  message(FATAL_ERROR "the README's program has ${count} lines")
endif()

run(${CMAKE_COMMAND} --install "${BUILD}" --prefix "${WORK}/installed")
foreach(program client-sync server-sync monitor-sync)
  run("${WORK}/installed/bin/${program}" --version)
endforeach()
run(${CMAKE_COMMAND} -S "${PROJECT}" -B "${WORK}/build" -DCMAKE_PREFIX_PATH=${WORK}/installed
  -DREADME_PROGRAM=${WORK}/mirror.cc -DCMAKE_CXX_COMPILER=${COMPILER} -DCMAKE_CXX_FLAGS=${FLAGS})
run(${CMAKE_COMMAND} --build "${WORK}/build")

file(WRITE "${WORK}/source/file" "content\n")
file(WRITE "${WORK}/source/below/another" "more\n")
file(WRITE "${WORK}/mirror/extra" "it goes\n")
run("${WORK}/build/mirror" "${WORK}/source" "${WORK}/mirror" "${WORK}/state")
run(diff -r --no-dereference "${WORK}/source" "${WORK}/mirror")
