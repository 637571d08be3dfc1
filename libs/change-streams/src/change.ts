import type { ChangeStreamDocument, Document } from 'mongodb';
import type { StreamPosition } from './stream-cursor.js';

/** One write to a collection, with the document as it was read right after it. */
export interface Change<T> {
  position: StreamPosition;
  tenantId: string;
  /** a replaced document counts as updated in all its fields */
  kind: 'insert' | 'update';
  /** names of the fields (the first part of their paths) that an update touched; all of a document's otherwise */
  changed: ReadonlySet<string>;
  /** at least as new as the write: where several follow each other closely, earlier ones show the later state */
  document: T;
  /** of the write */
  at: Date;
}

/** The writes that feeds are about. */
export const WRITES = ['insert', 'update', 'replace'] as const;

/** Null for what is no write to a document of a tenant, or is about one that is gone by now. */
export function toChange<T>(
  raw: ChangeStreamDocument<Document>,
  read: (document: Document) => T,
): Change<T> | null {
  if (raw.operationType !== 'insert' && raw.operationType !== 'update' && raw.operationType !== 'replace')
    return null;
  const { fullDocument: document, clusterTime } = raw;
  const tenantId: unknown = document?.['tenantId'];
  if (!document || typeof tenantId !== 'string') return null;
  return {
    position: tokenOf(raw._id),
    tenantId,
    kind: raw.operationType === 'insert' ? 'insert' : 'update',
    changed: new Set(
      raw.operationType === 'update' ? touchedBy(raw.updateDescription) : Object.keys(document),
    ),
    document: read(document),
    at: new Date((clusterTime?.t ?? 0) * 1_000),
  };
}

export function tokenOf(token: unknown): StreamPosition {
  return (token as { _data: string })._data;
}

function touchedBy({ updatedFields, removedFields }: UpdateDescription): string[] {
  const paths = [...Object.keys(updatedFields ?? {}), ...(removedFields ?? [])];
  return paths.map((path) => path.split('.', 1)[0] ?? path);
}

interface UpdateDescription {
  updatedFields?: object;
  removedFields?: string[];
}
