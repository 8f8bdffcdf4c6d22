# What `make install` puts in place. DESTDIR and CMAKE_INSTALL_PREFIX count.
if(TARGET cordon)
  install(TARGETS cordon RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  # By this name it is a shell: SHELL is one word.
  add_custom_command(TARGET cordon POST_BUILD
    COMMAND ${CMAKE_COMMAND} -E create_symlink cordon cordon-shell
    WORKING_DIRECTORY $<TARGET_FILE_DIR:cordon>)
  install(FILES $<TARGET_FILE_DIR:cordon>/cordon-shell DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
if(TARGET cordon-setup)
  # Run by `cordon setup`, as root, from a place that is root's.
  install(TARGETS cordon-setup RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/cordon)
endif()
if(TARGET cordon-probe)
  # Only `selftest` and the tests start it: no business on anybody's PATH.
  install(TARGETS cordon-probe RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/cordon)
endif()
if(TARGET cordon_shared)
  install(TARGETS cordon_shared cordon_static
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(FILES include/cordon/cordon.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/cordon)
  install(FILES examples/agent.c DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
  # Only the library starts it.
  install(TARGETS cordon-warden RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/cordon)
  # Made when it is installed: `cmake --install --prefix` counts.
  install(CODE "
    set(CORDON_VERSION ${PROJECT_VERSION})
    set(CORDON_LIBDIR ${CMAKE_INSTALL_LIBDIR})
    set(CORDON_INCLUDEDIR ${CMAKE_INSTALL_INCLUDEDIR})
    get_filename_component(CMAKE_INSTALL_PREFIX \"\${CMAKE_INSTALL_PREFIX}\" ABSOLUTE)
    configure_file(${PROJECT_SOURCE_DIR}/cmake/cordon.pc.in ${PROJECT_BINARY_DIR}/cordon.pc @ONLY)
  ")
  install(FILES ${PROJECT_BINARY_DIR}/cordon.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endif()
foreach(section 1 3)
  file(GLOB CORDON_MAN_PAGES CONFIGURE_DEPENDS man/*.${section})
  if(CORDON_MAN_PAGES)
    install(FILES ${CORDON_MAN_PAGES} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
  endif()
endforeach()
file(GLOB CORDON_SCHEMAS CONFIGURE_DEPENDS schema/*.json)
if(CORDON_SCHEMAS)
  install(FILES ${CORDON_SCHEMAS} DESTINATION ${CMAKE_INSTALL_DATADIR}/cordon/schema)
endif()
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
