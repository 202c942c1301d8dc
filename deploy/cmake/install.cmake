# What `cmake --install` adds to the programs: the units, with the place of
# the programs filled in, their user, the samples and the papers.

foreach(unit zs-edge zs-relay)
    configure_file(${PROJECT_SOURCE_DIR}/deploy/${unit}.service
                   ${PROJECT_BINARY_DIR}/deploy/${unit}.service @ONLY)
    install(FILES ${PROJECT_BINARY_DIR}/deploy/${unit}.service
            DESTINATION lib/systemd/system)
endforeach()
install(FILES ${PROJECT_SOURCE_DIR}/deploy/zeroservices.sysusers
        DESTINATION lib/sysusers.d RENAME zeroservices.conf)

# The clients as they are, for pip and npm.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/edge/clients/
        DESTINATION ${CMAKE_INSTALL_DATADIR}/zeroservices/clients
        PATTERN __pycache__ EXCLUDE)

install(DIRECTORY ${PROJECT_SOURCE_DIR}/config/
        DESTINATION ${CMAKE_INSTALL_DOCDIR}/config)
install(FILES ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/LICENSE
        DESTINATION ${CMAKE_INSTALL_DOCDIR})
