# mutirao_add_module(NAME SOURCES…) makes a module of ops, resources and functions, libNAME.so, that a job file names as
# `module: path/libNAME.so#op`. Further libraries are added by target_link_libraries(NAME PRIVATE …).
function(mutirao_add_module name)
  if(NOT ARGN)
    message(FATAL_ERROR "mutirao_add_module(${name}): name its sources")
  endif()
  add_library(${name} MODULE ${ARGN})
  if(TARGET mutirao::mutirao)
    target_link_libraries(${name} PRIVATE mutirao::mutirao)
  else()
    target_link_libraries(${name} PRIVATE mutirao)
  endif()
  set_target_properties(${name} PROPERTIES PREFIX lib CXX_VISIBILITY_PRESET hidden)
endfunction()
