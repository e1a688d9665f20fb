# The component "wheel": what pip installs into the folder of the Python package (pyproject.toml).
#   lib/libmutirao.so.<major>, lib/libmutirao-commands.so, the system's libraries that it needs beyond the C and C++ runtime; bin/mutirao
# Arrow's libraries are those of the pyarrow package beside it. With MUTIRAO_PREBUILT nothing is compiled: library and
# program are taken from that build folder, which is how the tests make a wheel.

if(MUTIRAO_PREBUILT)
  set(wheel_library "${MUTIRAO_PREBUILT}/lib/libmutirao.so")
  set(wheel_commands "${MUTIRAO_PREBUILT}/lib/libmutirao-commands.so")
  set(wheel_program "${MUTIRAO_PREBUILT}/bin/mutirao")
else()
  set(wheel_library "$<TARGET_FILE:mutirao>")
  set(wheel_commands "$<TARGET_FILE:mutirao_commands>")
  set(wheel_program "$<TARGET_FILE:mutirao_program>")
endif()

# Loaded by name when they are needed, so nothing names them as needed.
find_library(MUTIRAO_CRYPTO_LIBRARY crypto REQUIRED)
find_library(MUTIRAO_CURL_LIBRARY curl REQUIRED)
find_library(MUTIRAO_PQ_LIBRARY pq REQUIRED)

install(CODE "
  set(prefix \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}\")
  file(REAL_PATH \"${wheel_library}\" library)
  file(REAL_PATH \"${wheel_commands}\" commands)
  file(REAL_PATH \"${MUTIRAO_CRYPTO_LIBRARY}\" crypto)
  file(REAL_PATH \"${MUTIRAO_CURL_LIBRARY}\" curl)
  file(REAL_PATH \"${MUTIRAO_PQ_LIBRARY}\" pq)
  file(GET_RUNTIME_DEPENDENCIES LIBRARIES \"\${library}\" \"\${commands}\" \"\${crypto}\" \"\${curl}\" \"\${pq}\" RESOLVED_DEPENDENCIES_VAR needed
    UNRESOLVED_DEPENDENCIES_VAR unresolved
    PRE_EXCLUDE_REGEXES \"^lib(c|m|dl|rt|pthread|resolv|gcc_s|stdc\\\\+\\\\+)\\\\.so\" \"^ld-linux\" \"^lib(arrow|parquet)\"
    POST_EXCLUDE_REGEXES \"/libmutirao\")
  if(unresolved)
    message(FATAL_ERROR \"libraries that the wheel needs were not found: \${unresolved}\")
  endif()
  file(MAKE_DIRECTORY \"\${prefix}/lib\" \"\${prefix}/bin\")
  foreach(file IN LISTS needed)
    # Wheels have no links: the file gets the name that it is looked for by.
    get_filename_component(name \"\${file}\" NAME)
    file(REAL_PATH \"\${file}\" real)
    file(COPY_FILE \"\${real}\" \"\${prefix}/lib/\${name}\")
  endforeach()
  file(COPY_FILE \"\${crypto}\" \"\${prefix}/lib/libcrypto.so.3\")
  file(COPY_FILE \"\${curl}\" \"\${prefix}/lib/libcurl.so.4\")
  file(COPY_FILE \"\${pq}\" \"\${prefix}/lib/libpq.so.5\")
  file(COPY_FILE \"\${library}\" \"\${prefix}/lib/libmutirao.so.${PROJECT_VERSION_MAJOR}\")
  file(COPY_FILE \"\${commands}\" \"\${prefix}/lib/libmutirao-commands.so\")
  file(COPY_FILE \"${wheel_program}\" \"\${prefix}/bin/mutirao\")
  file(RPATH_SET FILE \"\${prefix}/lib/libmutirao.so.${PROJECT_VERSION_MAJOR}\" NEW_RPATH \"\\\$ORIGIN:\\\$ORIGIN/../../pyarrow\")
  file(RPATH_SET FILE \"\${prefix}/lib/libmutirao-commands.so\" NEW_RPATH \"\\\$ORIGIN:\\\$ORIGIN/../../pyarrow\")
  file(RPATH_SET FILE \"\${prefix}/bin/mutirao\" NEW_RPATH \"\\\$ORIGIN/../lib\")
  file(CHMOD \"\${prefix}/bin/mutirao\" PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
" COMPONENT wheel EXCLUDE_FROM_ALL)
