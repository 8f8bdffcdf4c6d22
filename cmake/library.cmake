# libcordon, static and shared, and cordon-warden, which it starts. The library is
# the objects that the program is made of, and src/lib.
file(GLOB LIB_SOURCES CONFIGURE_DEPENDS src/lib/*.c)
add_library(cordon_api STATIC ${LIB_SOURCES})
target_compile_definitions(cordon_api PRIVATE _GNU_SOURCE CORDON_VERSION="${PROJECT_VERSION}")
target_link_libraries(cordon_api PUBLIC cordon_os)

set(CORDON_LIBRARY_OBJECTS
  $<TARGET_OBJECTS:cordon_core> $<TARGET_OBJECTS:cordon_plan>
  $<TARGET_OBJECTS:cordon_os> $<TARGET_OBJECTS:cordon_api>)

# The static library is one object whose hidden symbols are made local: names like
# buf_init or report_add would else meet those of the program that links it.
set(CORDON_ONE_OBJECT ${CMAKE_CURRENT_BINARY_DIR}/cordon-all.o)
add_custom_command(OUTPUT ${CORDON_ONE_OBJECT}
  COMMAND ${CMAKE_LINKER} -r -o ${CORDON_ONE_OBJECT} ${CORDON_LIBRARY_OBJECTS}
  COMMAND ${CMAKE_OBJCOPY} --localize-hidden ${CORDON_ONE_OBJECT}
  DEPENDS cordon_core cordon_plan cordon_os cordon_api ${CORDON_LIBRARY_OBJECTS}
  COMMAND_EXPAND_LISTS VERBATIM)
add_library(cordon_static STATIC ${CORDON_ONE_OBJECT})
set_target_properties(cordon_static PROPERTIES OUTPUT_NAME cordon LINKER_LANGUAGE C)
target_include_directories(cordon_static INTERFACE include)
target_link_libraries(cordon_static INTERFACE cordon_jansson)

add_library(cordon_shared SHARED ${CORDON_LIBRARY_OBJECTS})
set_target_properties(cordon_shared PROPERTIES OUTPUT_NAME cordon LINKER_LANGUAGE C
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
target_include_directories(cordon_shared INTERFACE include)
target_link_libraries(cordon_shared PRIVATE cordon_flags PkgConfig::JANSSON)
target_link_options(cordon_shared PRIVATE -Wl,-z,relro,-z,now)

file(GLOB WARDEN_SOURCES CONFIGURE_DEPENDS programs/cordon-warden/*.c)
add_executable(cordon-warden ${WARDEN_SOURCES})
target_compile_definitions(cordon-warden PRIVATE _GNU_SOURCE CORDON_VERSION="${PROJECT_VERSION}")
target_link_libraries(cordon-warden PRIVATE cordon_os)
cordon_link_program(cordon-warden)
