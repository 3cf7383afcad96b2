# SPDX-License-Identifier: Apache-2.0
# Stage build: compiles on the distribution that the image ships. Stage test: `docker build --target test .` runs the unit
# tests. Last stage: the binary and the shared libraries it needs, no shell and no package manager, not root.
FROM debian:trixie-slim AS build
WORKDIR /source
COPY scripts/install_deps.sh scripts/
# Unpinned on purpose: the distribution's own security fixes shall come in.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates make && scripts/install_deps.sh build \
    && rm -rf /var/lib/apt/lists/*
COPY . .
RUN make trained && scripts/image_root.sh build/trained/dryport /image

FROM build AS test
RUN scripts/install_deps.sh test && cmake --preset release -DDRYPORT_WERROR=OFF -DDRYPORT_TESTS=ON \
    && cmake --build --preset release && ctest --preset release -L '^unit$'

FROM scratch
LABEL org.opencontainers.image.title="dryport" \
      org.opencontainers.image.description="customs declaration stream processor" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /image /
USER 65532:65532
EXPOSE 9464
ENV DRYPORT_HTTP_LISTEN=0.0.0.0:9464
ENTRYPOINT ["/usr/bin/dryport"]
CMD ["run"]
