import { z } from 'zod';

/** Bounds on what clients may keep open. */
export const streamSettings = {
  SEXTANT_STREAM_CONNECTIONS: z.coerce
    .number()
    .int()
    .min(1)
    .default(10_000)
    .describe('connections with streams, SSE and WebSocket together, that one tenant may have open'),
  SEXTANT_STREAM_SUBSCRIPTIONS: z.coerce
    .number()
    .int()
    .min(1)
    .default(100)
    .describe('operations that one WebSocket may carry at a time'),
};

export type StreamsConfig = z.output<z.ZodObject<typeof streamSettings>>;
