# Tests of the README's first commands on machines with nothing installed, one at a time for each release of Debian.
find_package(Python3 3.11 REQUIRED COMPONENTS Interpreter)
set(fresh_machine ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/fresh_machine)
if(NOT FBEMU_SANITIZE)
  foreach(suite bookworm trixie)
    add_test(NAME fresh_machine.${suite} COMMAND ${fresh_machine} --suite ${suite})
    # One hour, because with an empty cache the test downloads and compiles everything.
    set_tests_properties(fresh_machine.${suite} PROPERTIES LABELS fresh TIMEOUT 3600 SKIP_REGULAR_EXPRESSION "skipped: " COST 300
      RESOURCE_LOCK fresh_machine_${suite})
  endforeach()
  # A test that fails if the list of packages is too short. It leaves out ffmpeg, too, the largest part of the installation.
  add_test(NAME fresh_machine.notices_a_missing_package
    COMMAND ${fresh_machine} --suite bookworm --only demo --without nlohmann-json3-dev --without ffmpeg)
  set_tests_properties(fresh_machine.notices_a_missing_package PROPERTIES LABELS fresh TIMEOUT 3600 SKIP_REGULAR_EXPRESSION "skipped: "
    RESOURCE_LOCK fresh_machine_bookworm PASS_REGULAR_EXPRESSION "provided by[^/]*nlohmann_json")
  add_test(NAME fresh_machine.leaves_nothing_behind COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/test_fresh_root.py -v)
  set_tests_properties(fresh_machine.leaves_nothing_behind PROPERTIES LABELS fresh TIMEOUT 3600 SKIP_REGULAR_EXPRESSION "skipped: "
    RESOURCE_LOCK fresh_machine_bookworm)
endif()
add_test(NAME demo_picture_check_works COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/test_demo_picture.py)
set_tests_properties(demo_picture_check_works PROPERTIES LABELS checks TIMEOUT 60)
