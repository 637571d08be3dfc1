import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';

const asItIs = (bytes: Buffer): Buffer => bytes;

/** A service whose handlers of these methods get and give messages as bytes, because they have a codec of their own. */
export function overBytes(service: ServiceDefinition, names: readonly string[]): ServiceDefinition {
  const undecoded = names.map((name) => {
    const method = service[name] as MethodDefinition<object, object>;
    return [name, { ...method, requestDeserialize: asItIs, responseSerialize: asItIs }];
  });
  return { ...service, ...Object.fromEntries(undecoded) } as ServiceDefinition;
}
