# SPDX-License-Identifier: Apache-2.0
# Stage build: compiles on the distribution that the image ships, with a profile of a training run. Stage test: `--target test` runs the
# unit tests there. Last stage: the binary and what it needs, no shell and no package manager, not root (docs/adr/0060-image.md).
#
# Pinned: the base by its dated tag, and with BASE_DIGEST=@sha256:... by content; packages by the snapshot of the same day. Empty
# DEBIAN_SNAPSHOT: the base's own sources, with the distribution's security fixes of today.
ARG BASE=docker.io/library/debian:trixie-20260918-slim
ARG BASE_DIGEST=

# hadolint ignore=DL3006
FROM ${BASE}${BASE_DIGEST} AS build
ARG DEBIAN_SNAPSHOT=20260918T000000Z
WORKDIR /source
COPY scripts/apt_snapshot.sh scripts/install_deps.sh scripts/
RUN scripts/apt_snapshot.sh "$DEBIAN_SNAPSHOT" && scripts/install_deps.sh image build && rm -rf /var/lib/apt/lists/*
COPY CMakeLists.txt CMakePresets.json LICENSE ./
COPY cmake cmake
COPY scripts/build_trained.sh scripts/image_root.sh scripts/image_sbom.sh scripts/
COPY proto proto
COPY deploy/reference deploy/reference
COPY proc proc
RUN scripts/build_trained.sh && scripts/image_root.sh build/trained/dryport /image

FROM build AS test
RUN scripts/install_deps.sh unit && rm -rf /var/lib/apt/lists/*
COPY . .
RUN cmake --preset debug -DDRYPORT_WERROR=OFF -DDRYPORT_BENCH=OFF --log-level=WARNING && cmake --build --preset debug -- --quiet \
    && ctest --preset debug -L '^unit$' -j 2

FROM scratch
LABEL org.opencontainers.image.title="dryport" \
      org.opencontainers.image.description="customs declaration stream processor" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /image /
USER 65532:65532
EXPOSE 9464
# On all addresses: in a container, what is published and who may connect is the runtime's to say.
ENV DRYPORT_HTTP_LISTEN=0.0.0.0:9464
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["/usr/bin/dryport", "health", "--timeout", "4"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/bin/dryport"]
CMD ["run"]
