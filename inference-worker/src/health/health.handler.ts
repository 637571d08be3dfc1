import { type ServerWritableStream, status, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { DomainError } from '@sextant/domain';
import type { WorkerLifecycle } from '../operations/worker-lifecycle.js';
import { type HandlerParts, unaryHandler } from '../transport/unary.handler.js';

type ServingStatus = 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';
interface HealthRequest {
  service: string;
}
interface HealthResponse {
  status: ServingStatus;
}

/** Whether each name that probes may ask for is served; "" and the service names mean readiness. */
const READINESS = ['', 'readiness', 'sextant.inference.v1.Decisions', 'inference.GRPCInferenceService'];

function statusOf(service: string, lifecycle: WorkerLifecycle): ServingStatus {
  const serving = (holds: boolean): ServingStatus => (holds ? 'SERVING' : 'NOT_SERVING');
  if (service === 'liveness') return 'SERVING';
  if (service === 'startup') return serving(lifecycle.state !== 'starting');
  return READINESS.includes(service) ? serving(lifecycle.state === 'ready') : 'SERVICE_UNKNOWN';
}

/** `grpc.health.v1.Health`. A watch hears of every change and is ended when the worker drains, so that it holds nothing up. */
export function healthHandlers(
  parts: HandlerParts & { lifecycle: WorkerLifecycle },
): UntypedServiceImplementation {
  const { lifecycle } = parts;
  return {
    Check: unaryHandler(parts, 'Check', ({ service }: HealthRequest): HealthResponse => {
      const current = statusOf(service, lifecycle);
      if (current === 'SERVICE_UNKNOWN') {
        throw new DomainError(
          'HEALTH_SERVICE_NOT_FOUND',
          `"${service}" is none of the services of this worker`,
          { path: 'service' },
        );
      }
      return { status: current };
    }),
    Watch: (call: ServerWritableStream<HealthRequest, HealthResponse>) => watch(call, lifecycle),
  };
}

function watch(call: ServerWritableStream<HealthRequest, HealthResponse>, lifecycle: WorkerLifecycle): void {
  let last: ServingStatus | undefined;
  const tell = (): void => {
    const current = statusOf(call.request.service, lifecycle);
    if (current !== last) call.write({ status: current });
    last = current;
    if (lifecycle.state === 'draining') {
      stop();
      call.emit('error', { code: status.UNAVAILABLE, details: 'the worker is shutting down' });
    }
  };
  const stop = lifecycle.onChange(tell);
  call.once('cancelled', stop);
  tell();
}
