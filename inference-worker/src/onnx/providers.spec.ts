import { describe, expect, it } from 'vitest';
import { failureText, gpuProviders } from './providers.js';

/** As onnxruntime-node 1.30 says them. */
const SAID = {
  check:
    '/onnxruntime_src/onnxruntime/core/providers/webgpu/webgpu_context.cc:136 onnxruntime::webgpu::WebGpuContext::Initialize(const onnxruntime::webgpu::WebGpuContextConfig&)::<lambda()> adapter_result.status == wgpu::RequestAdapterStatus::Success was false. Failed to get a WebGPU adapter: No supported adapters\n',
  node: "Non-zero status code returned while running Identity node. Name:'' Status Message: /onnxruntime_src/onnxruntime/core/framework/op_kernel.cc:83 virtual OrtValue* onnxruntime::OpKernelContext::OutputMLValue(int, const onnxruntime::TensorShape&) [ONNXRuntimeError] : 2 : INVALID_ARGUMENT : The output OrtValue provided for output 'y' has shape {1,2}",
  cuda: '/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_call.cc:154 std::conditional_t<THRW, void, onnxruntime::common::Status> onnxruntime::CudaCall(ERRTYPE, const char*, int) [with ERRTYPE = cudaError; bool THRW = true] CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version ; GPU=-1 ; hostname=node-17 ; file=/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_execution_provider.cc ; line=352 ; expr=cudaSetDevice(info_.device_id);\n\n',
  plain: 'Unexpected input data type. Actual: (tensor(double)) , expected: (tensor(float))',
};

describe('failureText', () => {
  it('keeps what a reader can act upon, and no place in a source or name of a host', () => {
    expect(failureText(new Error(SAID.check))).toBe('Failed to get a WebGPU adapter: No supported adapters');
    expect(failureText(new Error(SAID.node))).toBe(
      "The output OrtValue provided for output 'y' has shape {1,2}",
    );
    expect(failureText(new Error(SAID.cuda))).toBe(
      'CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version',
    );
    expect(failureText(new Error(SAID.plain))).toBe(SAID.plain);
    expect(failureText('text')).toBe('text');
  });
});

describe('gpuProviders', () => {
  it('are those before the CPU, behind which nothing is ever reached', () => {
    expect(gpuProviders({ providers: ['cuda', 'cpu', 'webgpu'], strict: true })).toEqual(['cuda']);
    expect(gpuProviders({ providers: ['cuda', 'webgpu'], strict: true })).toEqual(['cuda', 'webgpu']);
    expect(gpuProviders({ providers: ['cpu'], strict: true })).toEqual([]);
  });
});
