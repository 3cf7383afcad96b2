# What ships beside the program: the Dockerfile and deploy/compose.yaml, by their own tools. The image itself: tests/broker/image.py.
if(NOT DRYPORT_THREAD_SANITIZER)
    add_test(NAME lint/dockerfile COMMAND ${CMAKE_SOURCE_DIR}/tests/image/lint.sh dockerfile)
    add_test(NAME lint/compose COMMAND ${CMAKE_SOURCE_DIR}/tests/image/lint.sh compose $<TARGET_FILE:dryport>)
    set_tests_properties(lint/dockerfile lint/compose PROPERTIES TIMEOUT 300 LABELS lint)
endif()
