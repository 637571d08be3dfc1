# syntax=docker/dockerfile:1
# The image of the inference worker, on CPU. From the root of the repository:
#   docker build -f docker/inference-worker.Dockerfile -t sextant-inference-worker .
ARG NODE_IMAGE=node:24.21.0-bookworm-slim

# Only what npm reads, so that a change of code keeps the layers that hold packages.
FROM ${NODE_IMAGE} AS manifests
WORKDIR /app
COPY . .
RUN find . -type f ! -name package.json ! -name package-lock.json ! -name .npmrc -delete \
    && find . -type d -empty -delete

FROM ${NODE_IMAGE} AS build
ENV ONNXRUNTIME_NODE_INSTALL=skip
WORKDIR /app
COPY --from=manifests /app .
RUN npm ci --loglevel=error --no-audit --no-fund
COPY . .
RUN node_modules/.bin/tsc -b inference-worker
# What runs: compiled code and the .proto files that are read at run time.
RUN mkdir /out \
    && find proto libs inference-worker -type f \( -path '*/dist/*.js' -o -name '*.proto' \) \
       ! -path '*/node_modules/*' ! -name '*.spec.js' -exec cp --parents {} /out \;

FROM ${NODE_IMAGE} AS packages
# The CPU provider is in the package; the CUDA provider would be a download of its own.
ENV ONNXRUNTIME_NODE_INSTALL=skip
WORKDIR /app
COPY --from=manifests /app .
# 288 MB of ONNX Runtime serve five platforms: keep this one's.
RUN npm ci --omit=dev --workspace=inference-worker --loglevel=error --no-audit --no-fund \
    && find node_modules/onnxruntime-node/bin/napi-v6 -mindepth 2 -maxdepth 2 \
       ! -path "*/$(node -p 'process.platform + "/" + process.arch')" -exec rm -rf {} +

FROM ${NODE_IMAGE} AS worker
ENV NODE_ENV=production HOST=0.0.0.0
WORKDIR /app
COPY --from=packages /app .
COPY --from=build /out .
# "node" of the base image, by number: Kubernetes checks runAsNonRoot on numbers only.
USER 1000:1000
EXPOSE 50051 9464
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "inference-worker/dist/main.js"]
