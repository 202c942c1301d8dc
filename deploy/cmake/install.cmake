# What `cmake --install` adds to the programs: the units, with the place of
# the programs filled in, their user, the samples, the papers, and the pages
# and completions that are made of what each program says of itself.

file(GLOB page_makers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/deploy/pages/*)
foreach(program zs zs-edge zs-relay)
    set_property(TARGET ${program} APPEND PROPERTY LINK_DEPENDS ${page_makers})
    add_custom_command(TARGET ${program} POST_BUILD
        COMMAND sh ${PROJECT_SOURCE_DIR}/deploy/pages/make
                $<TARGET_FILE:${program}> ${PROJECT_VERSION}
                ${PROJECT_BINARY_DIR}/share
        VERBATIM)
endforeach()
install(DIRECTORY ${PROJECT_BINARY_DIR}/share/man/
        DESTINATION ${CMAKE_INSTALL_MANDIR})
foreach(shell bash-completion zsh fish)
    install(DIRECTORY ${PROJECT_BINARY_DIR}/share/${shell}
            DESTINATION ${CMAKE_INSTALL_DATADIR})
endforeach()

foreach(unit zs-edge zs-relay)
    configure_file(${PROJECT_SOURCE_DIR}/deploy/${unit}.service
                   ${PROJECT_BINARY_DIR}/deploy/${unit}.service @ONLY)
    install(FILES ${PROJECT_BINARY_DIR}/deploy/${unit}.service
            DESTINATION lib/systemd/system)
endforeach()
# A sample: the unit reads /etc/default/zs-edge, which belongs to the host.
install(FILES ${PROJECT_SOURCE_DIR}/deploy/zs-edge.default
        DESTINATION ${CMAKE_INSTALL_DOCDIR}/deploy)
install(FILES ${PROJECT_SOURCE_DIR}/deploy/zeroservices.sysusers
        DESTINATION lib/sysusers.d RENAME zeroservices.conf)

# The clients as they are, for pip and npm.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/edge/clients/
        DESTINATION ${CMAKE_INSTALL_DATADIR}/zeroservices/clients
        PATTERN __pycache__ EXCLUDE)

install(DIRECTORY ${PROJECT_SOURCE_DIR}/config/
        DESTINATION ${CMAKE_INSTALL_DOCDIR}/config)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/deploy/guide
                  ${PROJECT_SOURCE_DIR}/deploy/samples
        DESTINATION ${CMAKE_INSTALL_DOCDIR}/deploy)
foreach(page README.md LICENSE ARCHITECTURE.md PROTOCOL.md CONTRIBUTING.md)
    install(FILES ${PROJECT_SOURCE_DIR}/${page}
            DESTINATION ${CMAKE_INSTALL_DOCDIR})
endforeach()

# What these pages link to stands where the source has it, or a link does.
install(FILES ${PROJECT_SOURCE_DIR}/tests/net/README.md
        DESTINATION ${CMAKE_INSTALL_DOCDIR}/tests/net)
install(FILES ${PROJECT_SOURCE_DIR}/tests/bench/RESULTS.md
        ${PROJECT_SOURCE_DIR}/tests/bench/LIMITS.md
        DESTINATION ${CMAKE_INSTALL_DOCDIR}/tests/bench)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/tests/bench/plots
        DESTINATION ${CMAKE_INSTALL_DOCDIR}/tests/bench
        FILES_MATCHING PATTERN *.svg)
function(zs_link from to)
    get_filename_component(folder ${from} DIRECTORY)
    file(RELATIVE_PATH target
         ${CMAKE_INSTALL_FULL_DOCDIR}/${folder} ${to})
    install(CODE "
        set(link \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DOCDIR}/${from}\")
        get_filename_component(folder \"\${link}\" DIRECTORY)
        file(MAKE_DIRECTORY \"\${folder}\")
        file(CREATE_LINK ${target} \"\${link}\" SYMBOLIC)")
endfunction()
zs_link(edge/examples ${CMAKE_INSTALL_FULL_DOCDIR}/examples)
zs_link(edge/clients ${CMAKE_INSTALL_FULL_DATADIR}/zeroservices/clients)
zs_link(edge/lib/zeroservices.h ${CMAKE_INSTALL_FULL_INCLUDEDIR}/zeroservices.h)
