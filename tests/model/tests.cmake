# The protocol as an executable specification: a fixed slice of its schedules, and the breakages that few schedules catch. All of
# both: make model.
add_test(NAME model/slice COMMAND python3 -B ${CMAKE_SOURCE_DIR}/tests/model/journal_model.py --seeds 120 --jobs 1)
add_test(NAME model/breakages COMMAND python3 -B ${CMAKE_SOURCE_DIR}/tests/model/journal_model.py --seeds 150 --jobs 1 --breakages --quick)
set_tests_properties(model/slice model/breakages PROPERTIES TIMEOUT 300 LABELS unit)
