/** Execution providers of ONNX Runtime, as the configuration names them. */
export const PROVIDERS = ['cuda', 'tensorrt', 'webgpu', 'cpu'] as const;
export type Provider = (typeof PROVIDERS)[number];

/** What a provider computes on, as answers name it. */
export const DEVICE_OF = {
  cuda: 'CUDA',
  tensorrt: 'TENSORRT',
  webgpu: 'WEBGPU',
  cpu: 'CPU',
} as const satisfies Record<Provider, string>;
export type Device = (typeof DEVICE_OF)[Provider];

/** Which providers a model may run on. */
export interface ProviderPlan {
  /** tried in this order; what stands behind `cpu` is never reached, because that always works */
  providers: readonly Provider[];
  /** a GPU provider takes a model only if it runs every node of it */
  strict: boolean;
}

export const CPU_ONLY: ProviderPlan = { providers: ['cpu'], strict: false };

/** A provider that could not serve a model. */
export interface ProviderAttempt {
  provider: Provider;
  failure: string;
}

/** The providers of a plan before the CPU. */
export function gpuProviders({ providers }: ProviderPlan): Provider[] {
  const end = providers.indexOf('cpu');
  return end === -1 ? [...providers] : providers.slice(0, end);
}

/** No provider of the plan could open the model. */
export class NoProviderError extends Error {
  override readonly name = 'NoProviderError';

  constructor(readonly attempts: readonly ProviderAttempt[]) {
    super(describeAttempts(attempts));
  }
}

function describeAttempts(attempts: readonly ProviderAttempt[]): string {
  const [only, ...others] = attempts;
  if (only && others.length === 0) return only.failure;
  return attempts.map(({ provider, failure }) => `${provider}: ${failure}`).join('; ');
}

const STATUS = /\[ONNXRuntimeError\] : \d+ : [A-Z_]+ : /;
/** `<file>.cc:<line> <signature> <condition> was false. ` of a failed check. */
const CHECK = /^\S+\.(?:cc|h):\d+ .*? was (?:false|true)\. /;
/** What a CUDA library said, before the host, the file and the line of the call. */
const CUDA_FAILURE = /\b[A-Z]+ failure \d+: [^;]+/;
const SOURCE_PLACE = /\S*\/onnxruntime\/\S+:\d+ /g;

/** What ONNX Runtime says of a failure, without the places in its source and the name of the host. */
export function failureText(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const ofCuda = CUDA_FAILURE.exec(message)?.[0];
  if (ofCuda !== undefined) return ofCuda.trim();
  const told = message.split(STATUS).at(-1) ?? message;
  return told.replace(CHECK, '').replace(SOURCE_PLACE, '').trim();
}
