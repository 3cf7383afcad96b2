# What deploy/ holds, read by the tools of those who will read it: promtool, helm and the models of Kubernetes, systemd, the schema of
# a dashboard. scripts/install_deps.sh test brings them.
function(deploy_test name)
    add_test(NAME deploy/${name} COMMAND ${ARGN})
    set_tests_properties(deploy/${name} PROPERTIES TIMEOUT 900 LABELS deploy)
endfunction()

if(TARGET dryport AND NOT DRYPORT_SANITIZE)
    deploy_test(alerts ${CMAKE_SOURCE_DIR}/tests/deploy/alerts.sh ${CMAKE_SOURCE_DIR})
    deploy_test(dashboard python3 -B ${CMAKE_SOURCE_DIR}/tests/deploy/dashboard.py ${CMAKE_SOURCE_DIR})
    deploy_test(chart ${CMAKE_SOURCE_DIR}/tests/deploy/chart.sh $<TARGET_FILE:dryport> ${CMAKE_SOURCE_DIR})
    deploy_test(systemd ${CMAKE_SOURCE_DIR}/tests/deploy/systemd.sh $<TARGET_FILE:dryport> ${CMAKE_SOURCE_DIR})
endif()
