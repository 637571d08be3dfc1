import { refusal } from '../limits/refusal.js';
import type { DocumentMode } from '../limits/client-settings.js';
import type { Audience, GatewayContext, OperationParams } from '../pipeline/operation.js';
import type { DocumentSource } from '../pipeline/pipeline.js';
import { DocumentCache } from './document-cache.js';
import { type Manifest, sha256 } from './manifest.js';

/** Texts that clients registered by their hash, for each audience. */
const KEPT = { documents: 10_000, characters: 16 * 1024 * 1024 };
const HASH = /^[0-9a-f]{64}$/;

export interface DocumentStoreOptions {
  /** in force; null: none */
  manifest(): Manifest | null;
  modeOf(context: GatewayContext): DocumentMode;
}

/**
 * Which text an operation runs: its own, one of the manifest by `documentId`, or one that was sent before by its hash (automatic
 * persisted queries). A client held to the manifest runs nothing else, in whatever way it sends it.
 */
export class DocumentStore implements DocumentSource {
  private readonly registered: Readonly<Record<Audience, DocumentCache>> = {
    company: new DocumentCache(KEPT),
    partner: new DocumentCache(KEPT),
  };

  constructor(private readonly options: DocumentStoreOptions) {}

  /** @throws GraphQLError when the request names no document, one that is not known, or one that this client may not run */
  textOf({ query, documentId, extensions }: OperationParams, context: GatewayContext): string {
    const mode = this.options.modeOf(context);
    const text = typeof query === 'string' && query !== '' ? query : null;
    if (typeof documentId === 'string') return this.byDocumentId(documentId, text);
    const hash = persistedHash(extensions);
    if (mode === 'safelist') return this.safelisted(text, hash);
    if (hash === null) {
      if (text !== null) return text;
      throw refusal('INVALID_INPUT', 'send a query, a documentId, or a hash of a persisted query');
    }
    if (mode === 'open') {
      if (text !== null) return text;
      throw refusal('PERSISTED_QUERY_NOT_SUPPORTED', 'PersistedQueryNotSupported', { status: 200 });
    }
    return this.byHash(hash, text, context.audience);
  }

  private byDocumentId(documentId: string, text: string | null): string {
    if (text !== null) throw refusal('INVALID_INPUT', 'send a query or a documentId, not both');
    const manifest = this.options.manifest();
    const id = HASH.test(documentId) ? `sha256:${documentId}` : documentId;
    const found = manifest?.find(documentId) ?? manifest?.find(id);
    if (found !== undefined && found !== null) return found;
    const message = `no document has the id ${documentId.slice(0, 80)}: put it into the manifest, or send its text`;
    throw refusal('DOCUMENT_NOT_FOUND', message);
  }

  private safelisted(text: string | null, hash: string | null): string {
    const manifest = this.options.manifest();
    if (text !== null) {
      if (manifest?.holds(sha256(text))) return text;
    } else if (hash !== null) {
      const found = manifest?.find(`sha256:${hash}`);
      if (found !== undefined && found !== null) return found;
    } else throw refusal('INVALID_INPUT', 'send a documentId, or the text of a document of the manifest');
    const message =
      'this client may run documents of the manifest only: put the operation into it and publish it';
    throw refusal('DOCUMENT_NOT_SAFELISTED', message, { status: 403 });
  }

  private byHash(hash: string, text: string | null, audience: Audience): string {
    if (text === null) {
      const found = this.registered[audience].find(hash) ?? this.options.manifest()?.find(`sha256:${hash}`);
      if (found !== undefined && found !== null) return found;
      // message and status are what Apollo's clients wait for before they send the text
      throw refusal('PERSISTED_QUERY_NOT_FOUND', 'PersistedQueryNotFound', { status: 200 });
    }
    if (sha256(text) !== hash)
      throw refusal('PERSISTED_QUERY_HASH_MISMATCH', `the hash is not the query's: it is ${sha256(text)}`);
    this.registered[audience].add(hash, text);
    return text;
  }
}

/** The hash that a client names; null where it names none. */
function persistedHash(extensions: OperationParams['extensions']): string | null {
  const persisted = extensions?.['persistedQuery'];
  if (typeof persisted !== 'object' || persisted === null) return null;
  const { version, sha256Hash } = persisted as { version?: unknown; sha256Hash?: unknown };
  if (version !== 1 || typeof sha256Hash !== 'string' || !HASH.test(sha256Hash)) {
    const message = 'extensions.persistedQuery must have version 1 and sha256Hash of 64 hexadecimal digits';
    throw refusal('INVALID_INPUT', message);
  }
  return sha256Hash;
}
