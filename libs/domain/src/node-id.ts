import { DomainError } from './errors.js';

/** What a global id stands for. */
export interface NodeKey {
  /** name of the type in the graph */
  type: string;
  /** as in the type's own field `id` */
  id: string;
}

const MAX_CHARACTERS = 1_024;

/** An id that is unique over all types of a tenant; opaque to clients. */
export function nodeIdOf(type: string, id: string): string {
  return Buffer.from(`${type}:${id}`, 'utf8').toString('base64url');
}

/** @throws DomainError INVALID_INPUT when it was not made by {@link nodeIdOf} */
export function parseNodeId(nodeId: string): NodeKey {
  const text = nodeId.length > MAX_CHARACTERS ? '' : Buffer.from(nodeId, 'base64url').toString('utf8');
  const colon = text.indexOf(':');
  const key = { type: text.slice(0, colon), id: text.slice(colon + 1) };
  if (colon > 0 && key.id !== '' && nodeIdOf(key.type, key.id) === nodeId) return key;
  throw new DomainError('INVALID_INPUT', 'id must be a nodeId as the graph gave it, not the id of a type', {
    path: 'id',
  });
}
