# Programs of other libraries that do the same job as ours: what a comparison is made with. Flags as a release has them; warnings are those of
# code that is read, not of what protoc writes.
set(peers_folder ${CMAKE_BINARY_DIR}/peers)
add_custom_command(
    OUTPUT ${peers_folder}/customs/v1/declaration.pb.cc ${peers_folder}/customs/v1/declaration.pb.h
    COMMAND ${CMAKE_COMMAND} -E make_directory ${peers_folder}
    COMMAND ${PROTOC} --proto_path=${CMAKE_SOURCE_DIR}/proto --cpp_out=${peers_folder} customs/v1/declaration.proto
    DEPENDS ${CMAKE_SOURCE_DIR}/proto/customs/v1/declaration.proto
    VERBATIM)
add_executable(peer_job_j ${CMAKE_SOURCE_DIR}/bench/peers/job_j.cc ${peers_folder}/customs/v1/declaration.pb.cc)
set_target_properties(peer_job_j PROPERTIES CXX_STANDARD 17 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF)
target_include_directories(peer_job_j SYSTEM PRIVATE ${peers_folder})
target_link_libraries(peer_job_j PRIVATE topic_reader PkgConfig::bench_protobuf)
