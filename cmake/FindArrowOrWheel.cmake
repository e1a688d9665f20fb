# Targets mutirao::arrow and mutirao::parquet: from an installed Arrow C++ when there is one,
# otherwise from the pyarrow wheel in .venv, which carries headers and shared libraries.

find_package(Arrow 26 QUIET)
find_package(Parquet 26 QUIET)
find_package(ArrowCompute 26 QUIET)

add_library(mutirao_arrow INTERFACE)
add_library(mutirao_parquet INTERFACE)
add_library(mutirao::arrow ALIAS mutirao_arrow)
add_library(mutirao::parquet ALIAS mutirao_parquet)

if(Arrow_FOUND AND Parquet_FOUND AND ArrowCompute_FOUND)
  target_link_libraries(mutirao_arrow INTERFACE Arrow::arrow_shared ArrowCompute::arrow_compute_shared)
  target_link_libraries(mutirao_parquet INTERFACE Parquet::parquet_shared mutirao_arrow)
  set(MUTIRAO_ARROW_ORIGIN "system")
else()
  file(GLOB wheel_candidates "${PROJECT_SOURCE_DIR}/.venv/lib/python3*/site-packages/pyarrow")
  set(MUTIRAO_PYARROW_DIR "${wheel_candidates}" CACHE PATH "Folder of the pyarrow package to link against")
  if(NOT EXISTS "${MUTIRAO_PYARROW_DIR}/include/arrow/api.h")
    message(FATAL_ERROR "Arrow C++ was not found. Run tools/setup.sh, which installs the pyarrow wheel into .venv, "
                        "or set MUTIRAO_PYARROW_DIR to the folder of an installed pyarrow package.")
  endif()
  foreach(library arrow arrow_compute parquet)
    file(GLOB found "${MUTIRAO_PYARROW_DIR}/lib${library}.so.*")
    list(GET found 0 MUTIRAO_LIB_${library})
  endforeach()
  target_include_directories(mutirao_arrow SYSTEM INTERFACE "${MUTIRAO_PYARROW_DIR}/include")
  target_link_libraries(mutirao_arrow INTERFACE "${MUTIRAO_LIB_arrow}" "${MUTIRAO_LIB_arrow_compute}")
  target_link_libraries(mutirao_parquet INTERFACE "${MUTIRAO_LIB_parquet}" mutirao_arrow)
  set(MUTIRAO_ARROW_ORIGIN "wheel")
  list(APPEND CMAKE_BUILD_RPATH "${MUTIRAO_PYARROW_DIR}")
  list(APPEND CMAKE_INSTALL_RPATH "${MUTIRAO_PYARROW_DIR}")
endif()
