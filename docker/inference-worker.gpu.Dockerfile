# syntax=docker/dockerfile:1
# The image of the inference worker for NVIDIA GPUs (x86-64), on top of the one for CPUs. From the root of the repository:
#   docker build -f docker/inference-worker.Dockerfile -t sextant-inference-worker .
#   docker build -f docker/inference-worker.gpu.Dockerfile -t sextant-inference-worker-gpu .
# libcuda.so.1 and the Vulkan driver come with the node's own driver (CUDA 13: 580 or newer), by the NVIDIA container runtime.
ARG WORKER_IMAGE=sextant-inference-worker

# ONNX Runtime's CUDA and TensorRT providers are in the Python package of the same version as onnxruntime-node's own library.
FROM python:3.12-slim-bookworm AS cuda
RUN pip download --no-cache-dir --no-deps --only-binary :all: --dest /wheels \
      onnxruntime-gpu==1.30.0 \
      nvidia-cublas==13.1.2.11 \
      nvidia-cuda-runtime==13.0.96 \
      nvidia-cuda-nvrtc==13.0.88 \
      nvidia-curand==10.4.5.25 \
      nvidia-cufft==12.0.0.61 \
      nvidia-cudnn-cu13==9.19.1.2 \
    && for wheel in /wheels/*.whl; do python -m zipfile -e "$wheel" /unpacked; done \
    && mkdir -p /out/providers /out/lib \
    && cp /unpacked/onnxruntime/capi/libonnxruntime_providers_*.so /out/providers/ \
    && find /unpacked/nvidia -name '*.so*' ! -name '*.alt.so*' -exec cp {} /out/lib/ \;

FROM ${WORKER_IMAGE} AS worker
USER 0:0
# The Vulkan loader, for WebGPU; the version is the distribution's own.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --no-install-recommends -y libvulkan1 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=cuda /out/lib /opt/cuda/lib
# Beside ONNX Runtime's own library, where it looks for them.
COPY --from=cuda /out/providers /app/node_modules/onnxruntime-node/bin/napi-v6/linux/x64/
# TF32 would multiply matrices with 11 significant bits and miss the CPU's answers in the fourth digit.
# "graphics" hands the Vulkan driver to the container.
ENV LD_LIBRARY_PATH=/opt/cuda/lib \
    NVIDIA_TF32_OVERRIDE=0 \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility,graphics \
    INFERENCE_PROVIDERS=cuda,webgpu,cpu
USER 1000:1000
