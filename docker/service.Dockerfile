# syntax=docker/dockerfile:1
# The image of every process but the inference worker. From the root of the repository:
#   docker build -f docker/service.Dockerfile --build-arg PROJECT=gateway             -t sextant-gateway .
#   docker build -f docker/service.Dockerfile --build-arg PROJECT=subgraphs/customer  -t sextant-customer .
#   docker build -f docker/service.Dockerfile --build-arg PROJECT=trainer --target trainer -t sextant-trainer .
ARG NODE_IMAGE=node:24.21.0-bookworm-slim

# Only what npm reads, so that a change of code keeps the layers that hold packages.
FROM ${NODE_IMAGE} AS manifests
WORKDIR /app
COPY . .
RUN find . -type f ! -name package.json ! -name package-lock.json ! -name .npmrc -delete \
    && find . -type d -empty -delete

FROM ${NODE_IMAGE} AS build
ARG PROJECT
ENV ONNXRUNTIME_NODE_INSTALL=skip
WORKDIR /app
COPY --from=manifests /app .
RUN npm ci --loglevel=error --no-audit --no-fund
COPY . .
RUN node_modules/.bin/tsc -b "${PROJECT}"
# What runs: compiled code and the contracts that are read at run time (SDL, supergraph, .proto).
RUN mkdir /out \
    && find proto libs "${PROJECT}" -type f \( -path '*/dist/*.js' -o -name '*.proto' -o -name '*.graphql' \) \
       ! -path '*/node_modules/*' ! -name '*.spec.js' -exec cp --parents {} /out \;

FROM ${NODE_IMAGE} AS packages
ARG PROJECT
ENV ONNXRUNTIME_NODE_INSTALL=skip
WORKDIR /app
COPY --from=manifests /app .
RUN npm ci --omit=dev --workspace="${PROJECT}" --loglevel=error --no-audit --no-fund \
    && rm -rf node_modules/onnxruntime-node/bin/napi-v6/darwin node_modules/onnxruntime-node/bin/napi-v6/win32

FROM ${NODE_IMAGE} AS service
ARG PROJECT
# A young generation (MiB) that a batch of events in flight fits into: less of it is copied.
ENV NODE_ENV=production HOST=0.0.0.0 NODE_OPTIONS=--max-semi-space-size=64
WORKDIR /app
COPY --from=packages /app .
COPY --from=build /out .
WORKDIR /app/${PROJECT}
# "node" of the base image, by number: Kubernetes checks runAsNonRoot on numbers only.
USER 1000:1000
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "dist/main.js"]

FROM python:3.12-slim-bookworm AS lightgbm
RUN pip download --no-cache-dir --no-deps --dest /wheels lightgbm==4.7.0 \
    && python -m zipfile -e /wheels/lightgbm-4.7.0-*.whl /wheels/lightgbm

FROM service AS trainer
USER 0:0
# LightGBM's threads; the version is the distribution's own.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --no-install-recommends -y libgomp1 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=lightgbm /wheels/lightgbm/lightgbm/lib/lib_lightgbm.so /opt/lightgbm/lib_lightgbm.so
ENV LIGHTGBM_LIBRARY=/opt/lightgbm/lib_lightgbm.so
USER 1000:1000

# Without --target: the plain service.
FROM service
