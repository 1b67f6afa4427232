# XNNPACK ships no CMake or pkg-config file in Debian. Gives XNNPACK::XNNPACK and XNNPACK_VERSION (revision of the sources).
find_path(XNNPACK_INCLUDE_DIR xnnpack.h)
find_library(XNNPACK_LIBRARY NAMES XNNPACK)
find_library(XNNPACK_pthreadpool_LIBRARY NAMES pthreadpool)
find_library(XNNPACK_cpuinfo_LIBRARY NAMES cpuinfo)
mark_as_advanced(XNNPACK_INCLUDE_DIR XNNPACK_LIBRARY XNNPACK_pthreadpool_LIBRARY XNNPACK_cpuinfo_LIBRARY)

# The library does not know its own version; Debian's says date and revision: 0.0~git20220216.ae108ef-2.
set(XNNPACK_VERSION "" CACHE STRING "revision of XNNPACK, part of a device's identity; found by dpkg where it is empty")
if(NOT XNNPACK_VERSION AND XNNPACK_LIBRARY)
  execute_process(COMMAND dpkg-query -W -f=\${Version}\\n libxnnpack-dev OUTPUT_VARIABLE package ERROR_QUIET RESULT_VARIABLE failed)
  if(NOT failed AND package MATCHES "git[0-9]+\\.([0-9a-f]+)")
    set(XNNPACK_VERSION ${CMAKE_MATCH_1})
  else()
    set(XNNPACK_VERSION unknown)
  endif()
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(XNNPACK REQUIRED_VARS XNNPACK_LIBRARY XNNPACK_INCLUDE_DIR XNNPACK_pthreadpool_LIBRARY
                                                        VERSION_VAR XNNPACK_VERSION)
if(XNNPACK_FOUND AND NOT TARGET XNNPACK::XNNPACK)
  add_library(XNNPACK::XNNPACK UNKNOWN IMPORTED)
  set_target_properties(XNNPACK::XNNPACK PROPERTIES IMPORTED_LOCATION ${XNNPACK_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${XNNPACK_INCLUDE_DIR})
  target_link_libraries(XNNPACK::XNNPACK INTERFACE ${XNNPACK_pthreadpool_LIBRARY})
  if(XNNPACK_cpuinfo_LIBRARY)
    target_link_libraries(XNNPACK::XNNPACK INTERFACE ${XNNPACK_cpuinfo_LIBRARY})
  endif()
endif()
