# cmake -DIN=a.proto -DOUT=b.proto -P plain_proto.cmake: writes `optional T f = n;` as `oneof has_f { T f = n; }`.
# protoc-c refuses proto3 `optional` (protobuf-c issue 476); a oneof of one field is the same on the wire, and is what protoc itself
# makes of `optional`.
file(READ ${IN} text)
string(REGEX REPLACE "\n  optional ([a-z0-9]+) ([a-z0-9_]+) = ([0-9]+);" "\n  oneof has_\\2 { \\1 \\2 = \\3; }" text "${text}")
file(WRITE ${OUT} "${text}")
