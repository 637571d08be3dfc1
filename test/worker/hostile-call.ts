import { STATUS } from './grpc-caller.js';
import { grpcFrame } from './infer-wire.js';

/** A request that no honest client sends. */
export interface HostileCall {
  name: string;
  /** the body as it goes on the wire, length prefix included */
  frame: Uint8Array;
  headers?: Record<string, string>;
  path?: string;
  /** statuses that are right; any but UNKNOWN when absent */
  expected?: readonly number[];
}

export const REFUSED = [STATUS.INVALID_ARGUMENT] as const;
export const UNREADABLE = [STATUS.INVALID_ARGUMENT, STATUS.INTERNAL] as const;

/** Seeded mutations of a message: cut, flipped, doubled, overwritten and swapped bytes. */
export function mutations(message: Buffer, count: number, draw: () => number): HostileCall[] {
  const pick = (below: number): number => Math.floor(draw() * below);
  const kinds: ((bytes: Buffer) => Uint8Array)[] = [
    (bytes) => bytes.subarray(0, pick(bytes.length)),
    (bytes) => {
      for (let i = 0; i <= pick(8); i += 1) {
        const at = pick(bytes.length);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << pick(8));
      }
      return bytes;
    },
    (bytes) => {
      const [from, to] = [pick(bytes.length), pick(bytes.length)].sort((a, b) => a - b) as [number, number];
      return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)]);
    },
    (bytes) => {
      const at = pick(bytes.length);
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + pick(6))]);
    },
    (bytes) => bytes.fill(0xff, pick(bytes.length), undefined),
    (bytes) => {
      const at = pick(bytes.length);
      const noise = Buffer.from(Array.from({ length: 1 + pick(12) }, () => pick(256)));
      return Buffer.concat([bytes.subarray(0, at), noise, bytes.subarray(at)]);
    },
    (bytes) => Buffer.from(bytes.map(() => pick(256))),
  ];
  return Array.from({ length: count }, (_, i) => {
    const kind = kinds[i % kinds.length] ?? ((bytes: Buffer) => bytes);
    return { name: `mutation ${i}`, frame: grpcFrame(kind(Buffer.from(message))) };
  });
}
