# Tests of the builds and of the installation. tests/checks/build_variants has the long form.
set(checks ${CMAKE_CURRENT_SOURCE_DIR})
add_test(NAME hardening_check_works
  COMMAND sh ${checks}/hardening_check_works.sh ${checks}/hardening.sh ${CMAKE_CXX_COMPILER})
add_test(NAME configurations
  COMMAND sh ${checks}/configurations.sh ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/configurations)
add_test(NAME without_systemd
  COMMAND sh ${checks}/without_systemd.sh ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/without_systemd)
set_tests_properties(hardening_check_works configurations without_systemd PROPERTIES LABELS checks TIMEOUT 300)
if(NOT FBEMU_SANITIZE)
  add_test(NAME install COMMAND sh ${checks}/install.sh ${PROJECT_BINARY_DIR})
  set_tests_properties(install PROPERTIES LABELS fuse TIMEOUT 120)
  if(FBEMU_HARDENING AND CMAKE_BUILD_TYPE MATCHES "Rel")
    add_test(NAME hardening COMMAND sh ${checks}/hardening.sh $<TARGET_FILE:fbemud> $<TARGET_FILE:fbemuctl>)
    set_tests_properties(hardening PROPERTIES LABELS checks TIMEOUT 60)
  endif()
endif()
