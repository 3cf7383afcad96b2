# Journals as released versions wrote them: today's readers must fold them to exactly what they did.
add_executable(golden ${CMAKE_SOURCE_DIR}/tests/golden/golden.c)
target_link_libraries(golden PRIVATE sim_world)
target_compile_definitions(golden PRIVATE DRYPORT_SOURCE="${CMAKE_SOURCE_DIR}")
add_test(NAME golden/frames COMMAND ${CMAKE_SOURCE_DIR}/tests/golden/check.sh $<TARGET_FILE:golden>)
set_tests_properties(golden/frames PROPERTIES TIMEOUT 120 LABELS unit)
