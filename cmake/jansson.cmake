# jansson, as target cordon_jansson: the static archive where there is one, so
# that the programs can be linked statically. Where the archive (or the C
# library's) is missing, configuring says so and the programs are dynamic.
find_package(PkgConfig REQUIRED)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson>=2.13)

add_library(cordon_jansson INTERFACE)
target_include_directories(cordon_jansson INTERFACE ${JANSSON_INCLUDE_DIRS})

pkg_get_variable(JANSSON_PC_LIBDIR jansson libdir)
find_library(JANSSON_ARCHIVE NAMES libjansson.a HINTS ${JANSSON_PC_LIBDIR} ${JANSSON_STATIC_LIBRARY_DIRS})

if(CORDON_STATIC)
  if(JANSSON_ARCHIVE)
    include(CheckCSourceCompiles)
    set(CMAKE_REQUIRED_FLAGS -fPIE)
    set(CMAKE_REQUIRED_LINK_OPTIONS -static-pie)
    set(CMAKE_REQUIRED_INCLUDES ${JANSSON_INCLUDE_DIRS})
    set(CMAKE_REQUIRED_LIBRARIES ${JANSSON_ARCHIVE})
    check_c_source_compiles("#include <jansson.h>\nint main(void) { json_decref(json_object()); return 0; }"
                            CORDON_CAN_LINK_STATICALLY)
    unset(CMAKE_REQUIRED_FLAGS)
    unset(CMAKE_REQUIRED_LINK_OPTIONS)
    unset(CMAKE_REQUIRED_INCLUDES)
    unset(CMAKE_REQUIRED_LIBRARIES)
  endif()
  if(CORDON_CAN_LINK_STATICALLY)
    message(STATUS "Programs: linked statically (${JANSSON_ARCHIVE})")
  else()
    message(STATUS "Programs: linked dynamically, a launch is slower: "
                   "the static archive of jansson or of the C library is missing or not usable here")
    set(CORDON_STATIC OFF)
  endif()
endif()

if(CORDON_STATIC)
  target_link_libraries(cordon_jansson INTERFACE ${JANSSON_ARCHIVE})
else()
  target_link_libraries(cordon_jansson INTERFACE PkgConfig::JANSSON)
endif()
