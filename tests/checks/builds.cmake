# What is built, how, and what of it is installed. tests/checks/build_variants is the long form.
set(checks ${CMAKE_CURRENT_SOURCE_DIR})
add_test(NAME configurations
  COMMAND sh ${checks}/configurations.sh ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/configurations)
set_tests_properties(configurations PROPERTIES LABELS checks TIMEOUT 300)
