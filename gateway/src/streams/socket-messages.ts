import type { OperationParams } from '../pipeline/operation.js';

/** What a client may send. */
export type ClientMessage =
  | { type: 'connection_init'; payload: Record<string, unknown> }
  | { type: 'ping'; payload: unknown }
  | { type: 'pong' }
  | { type: 'subscribe'; id: string; payload: OperationParams }
  | { type: 'complete'; id: string };

/** Longest id of an operation, in characters. */
const MAX_ID = 128;

/**
 * Reads a message of the protocol `graphql-transport-ws`.
 *
 * @returns null for what is none
 */
export function readMessage(text: string): ClientMessage | null {
  const message = parse(text);
  if (!isObject(message)) return null;
  const { type, id, payload } = message;
  if (type === 'connection_init') return { type, payload: isObject(payload) ? payload : {} };
  if (type === 'ping') return { type, payload };
  if (type === 'pong') return { type };
  if (typeof id !== 'string' || id === '' || id.length > MAX_ID) return null;
  if (type === 'complete') return { type, id };
  return type === 'subscribe' && isParams(payload) ? { type, id, payload } : null;
}

function isParams(payload: unknown): payload is OperationParams {
  if (!isObject(payload)) return false;
  const { query, documentId, operationName, variables, extensions } = payload;
  const areTexts = [query, documentId, operationName].every(
    (text) => text == null || typeof text === 'string',
  );
  return areTexts && [variables, extensions].every((value) => value == null || isObject(value));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
