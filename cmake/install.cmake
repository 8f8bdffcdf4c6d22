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
file(GLOB CORDON_MAN_PAGES CONFIGURE_DEPENDS man/*.1)
if(CORDON_MAN_PAGES)
  install(FILES ${CORDON_MAN_PAGES} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
endif()
file(GLOB CORDON_SCHEMAS CONFIGURE_DEPENDS schema/*.json)
if(CORDON_SCHEMAS)
  install(FILES ${CORDON_SCHEMAS} DESTINATION ${CMAKE_INSTALL_DATADIR}/cordon/schema)
endif()
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
