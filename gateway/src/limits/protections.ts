import { DomainError } from '@sextant/domain';
import { DocumentStore } from '../documents/document-store.js';
import { type Manifest, readManifest } from '../documents/manifest.js';
import type { GatewayContext, Guard, Interceptor } from '../pipeline/operation.js';
import type { DocumentSource } from '../pipeline/pipeline.js';
import { type ClientFile, ClientRegistry, readClientFile } from './client-settings.js';
import { CostControl } from './cost-control.js';
import { FollowedFile } from './followed-file.js';
import { introspectionGuard } from './introspection.guard.js';
import type { LimitsConfig } from './limits.config.js';
import { TokenBuckets } from './token-buckets.js';

const POLL_MS = 1_000;

/** What bounds clients: budgets, rates, documents, introspection. It outlives the supergraph that it judges operations of. */
export interface Protections {
  clients: ClientRegistry;
  documents: DocumentSource;
  /** told of each document that was looked at and cannot be run */
  onRefusedDocument(text: string, context: GatewayContext): void;
  /** told of each body before its JSON is read. @throws DomainError RATE_LIMITED */
  onBody(characters: number, caller: Pick<GatewayContext, 'identity' | 'audience'>): void;
  /** in this order, after access: what is refused there is not charged */
  guards: readonly Guard[];
  interceptors: readonly Interceptor[];
  close(): void;
}

/** Where what happens to files that are followed is told. */
interface Log {
  info(details: object, message: string): void;
  error(details: object, message: string): void;
}

/** @throws DomainError CONFIG_INVALID where a file is wrong, or a safelist is asked for without documents */
export function protections(config: LimitsConfig, log: Log): Protections {
  const followed: FollowedFile<unknown>[] = [];
  const follow = <T>(setting: string, path: string, read: (path: string) => T): FollowedFile<T> | null => {
    if (path === '') return null;
    const file = new FollowedFile({
      path,
      read,
      pollMs: POLL_MS,
      onChange: () => log.info({ path }, `${setting} was read again`),
      onProblem: (err) => log.error({ err, path }, `${setting} is wrong; what it said before stays in force`),
    });
    followed.push(file);
    return file;
  };
  const manifest = follow<Manifest>(
    'SEXTANT_DOCUMENT_MANIFEST',
    config.SEXTANT_DOCUMENT_MANIFEST,
    readManifest,
  );
  const file = follow<ClientFile>('SEXTANT_CLIENTS', config.SEXTANT_CLIENTS, readClientFile);
  const wantsSafelist = [config.SEXTANT_DOCUMENTS, config.SEXTANT_PARTNER_DOCUMENTS].includes('safelist');
  if (!manifest && wantsSafelist) {
    const message =
      'safelist needs SEXTANT_DOCUMENT_MANIFEST: name the file or folder of documents that may run';
    throw new DomainError('CONFIG_INVALID', message);
  }
  const clients = new ClientRegistry(config, () => file?.value ?? null, manifest !== null);
  const cost = new CostControl(clients, new TokenBuckets(Date.now));
  const modeOf = ({ identity, audience }: GatewayContext) =>
    clients.settingsFor(identity, audience).documents;
  return {
    clients,
    documents: withRoom(new DocumentStore({ manifest: () => manifest?.value ?? null, modeOf }), cost),
    onRefusedDocument: (text, context) => cost.chargeRefused(text, context),
    onBody: (characters, caller) => cost.chargeBody(characters, caller),
    guards: [introspectionGuard(clients), cost],
    interceptors: [cost],
    close: () => followed.forEach((each) => each.close()),
  };
}

/** Nothing is parsed for a caller who has used more than there was. */
function withRoom(store: DocumentSource, cost: CostControl): DocumentSource {
  return {
    textOf(params, context) {
      cost.requireRoom(context);
      return store.textOf(params, context);
    },
  };
}
