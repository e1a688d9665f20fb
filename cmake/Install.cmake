# What `cmake --install` puts where: the program, libmutirao, its headers and the CMake package.

include(CMakePackageConfigHelpers)
set(package_folder "${CMAKE_INSTALL_LIBDIR}/cmake/mutirao")

if(TARGET mutirao_program)
  install(TARGETS mutirao_program RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
  install(TARGETS mutirao_commands LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
endif()
install(TARGETS mutirao EXPORT mutiraoTargets LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/mutirao" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
        FILES_MATCHING PATTERN "*.h")
install(EXPORT mutiraoTargets NAMESPACE mutirao:: DESTINATION "${package_folder}")

configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/mutiraoConfig.cmake.in" "${PROJECT_BINARY_DIR}/mutiraoConfig.cmake"
  INSTALL_DESTINATION "${package_folder}" PATH_VARS CMAKE_INSTALL_BINDIR)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/mutiraoConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/mutiraoConfig.cmake" "${PROJECT_BINARY_DIR}/mutiraoConfigVersion.cmake"
              "${CMAKE_CURRENT_LIST_DIR}/mutiraoModule.cmake"
        DESTINATION "${package_folder}")
# The Dask side, for runs on clusters.
install(DIRECTORY "${PROJECT_SOURCE_DIR}/python/mutirao" DESTINATION "share/mutirao/python" FILES_MATCHING PATTERN "*.py"
        PATTERN "__pycache__" EXCLUDE)
