import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { DomainError } from '@sextant/domain';
import { manifest as manifestSchema, type Manifest, type ModelCard } from './manifest.js';
import type { ServingConfig } from './serving.js';

/** A millisecond or two. */
const HASH_SLICE_BYTES = 1024 * 1024;

/** What training hands over: everything of a version but its number, sizes and hashes. */
export type ManifestDraft = Omit<Manifest, 'version' | 'files' | 'formatVersion'>;

/** What is wanted of a model now. */
export interface ModelEntry {
  /** whole versions, ascending */
  versions: number[];
  /** the pointer `live`; null when no version was ever put live, or none shall be any more */
  live: number | null;
  serving: ServingConfig;
}

/** A version as it lies there, unread. */
export interface VersionMark {
  /** changes whenever the files do */
  stamp: string;
  /** an ONNX file that no manifest describes */
  isPlain: boolean;
}

/**
 * The content of one version. Files that a manifest describes are proven by its hashes; a plain one is taken as it is. Files lie in
 * shared memory, so that threads read them without a copy.
 */
export interface StoredVersion {
  manifest: Manifest | null;
  files: ReadonlyMap<string, Buffer>;
}

/**
 * Where versions of models are kept: written by the trainer, served by workers. A version appears whole or not at all and never
 * changes afterwards; the pointer `live` moves in one step.
 */
export interface ModelRepository {
  /** for people and logs, without credentials */
  readonly location: string;

  /** Whether there is anything to look at: a place that does not exist yet holds no wish to retire what is loaded. */
  isThere(): Promise<boolean>;
  /** Another one after every change that was made through this interface; null where only looking tells. */
  findRevision(): Promise<string | null>;
  listModels(): Promise<string[]>;
  listVersions(model: string): Promise<number[]>;
  /** @throws DomainError ARTEFACT_INVALID when the serving configuration is bad, naming the field */
  readEntry(model: string): Promise<ModelEntry>;
  /** Null when the version is not there. */
  findMark(model: string, version: number): Promise<VersionMark | null>;
  /** @throws DomainError ARTEFACT_INVALID, ARTEFACT_HASH_MISMATCH naming the file */
  readVersion(model: string, version: number): Promise<StoredVersion>;

  /** @throws DomainError ARTEFACT_INVALID when it does not parse or describes another version */
  readManifest(model: string, version: number): Promise<Manifest>;
  readCard(model: string, version: number): Promise<ModelCard>;
  /** Writes the next version in one step; number, sizes and hashes of the manifest are filled in here. */
  publish(draft: ManifestDraft, files: ReadonlyMap<string, Uint8Array>, card: ModelCard): Promise<Manifest>;
  /** null: no version serves any more */
  setLiveVersion(model: string, version: number | null): Promise<void>;
  setServing(model: string, serving: Partial<ServingConfig>): Promise<void>;
  /**
   * Removes the files of a version for good; nothing where it is not there. The newest stays: its number would be given again.
   *
   * @throws DomainError VERSION_IN_USE for the newest version, and for one that `live` or `serving.json` names
   */
  removeVersion(model: string, version: number): Promise<void>;

  close(): Promise<void>;
}

/** @throws DomainError VERSION_IN_USE for a version that must not be removed */
export function refuseUsed(model: string, version: number, { versions, live, serving }: ModelEntry): void {
  const { aliases, versions: kept, canary, shadow } = serving;
  const named = [live, canary?.version, shadow?.version, ...Object.values(aliases), ...kept];
  const isNewest = version === versions.at(-1);
  if (!isNewest && !named.includes(version)) return;
  const why = isNewest ? 'is the newest version' : 'is live, or serving.json names it';
  throw new DomainError('VERSION_IN_USE', `${model}/${version} cannot be removed: it ${why}`, {
    path: 'version',
  });
}

/** Names that are safe as one path segment and as a label, Triton's among them. */
export function isModelName(name: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9._-]{0,254}$/.test(name);
}

/** The manifest of a version to be written. */
export function completeManifest(
  draft: ManifestDraft,
  version: number,
  files: ReadonlyMap<string, Uint8Array>,
): Manifest {
  const described = [...files].map(([path, content]) => ({
    path,
    sha256: sha256(content),
    bytes: content.byteLength,
  }));
  return manifestSchema.parse({ formatVersion: 1, ...draft, version, files: described });
}

/** @throws DomainError ARTEFACT_INVALID when it does not parse or describes another version */
export function parseManifest(model: string, version: number, json: unknown): Manifest {
  const parsed = manifestSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const message = `${model}/${version}/manifest.json: ${issue?.path.join('.')} ${issue?.message}`;
    throw new DomainError('ARTEFACT_INVALID', message);
  }
  if (parsed.data.model !== model || parsed.data.version !== version) {
    const other = `${parsed.data.model}/${parsed.data.version}`;
    throw new DomainError('ARTEFACT_INVALID', `${model}/${version}/manifest.json describes ${other}`);
  }
  return parsed.data;
}

/** Reads every file that a manifest names and proves it. @throws DomainError ARTEFACT_INVALID, ARTEFACT_HASH_MISMATCH */
export async function readProvenFiles(
  { model, version, files }: Manifest,
  read: (path: string) => Promise<Buffer>,
): Promise<Map<string, Buffer>> {
  const proven = new Map<string, Buffer>();
  for (const { path, sha256: wanted, bytes } of files) {
    const content = await read(path).catch((cause: unknown) => {
      if (cause instanceof DomainError) throw cause;
      const message = `${model}/${version}/${path} is named in the manifest and cannot be read`;
      throw new DomainError('ARTEFACT_INVALID', message, { cause });
    });
    const actual = await sha256InTurns(content);
    if (content.byteLength !== bytes || actual !== wanted) {
      const message = `${model}/${version}/${path} is not the file the manifest describes (sha256 ${actual})`;
      throw new DomainError('ARTEFACT_HASH_MISMATCH', message);
    }
    proven.set(path, content);
  }
  return proven;
}

/** A file to be filled, in memory that threads can share. */
export function sharedBuffer(bytes: number): Buffer {
  return Buffer.from(new SharedArrayBuffer(bytes));
}

/** The event loop gets its turn after each slice: a file of hundreds of MiB must not stop it. */
async function sha256InTurns(content: Buffer): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < content.byteLength; at += HASH_SLICE_BYTES) {
    hash.update(content.subarray(at, at + HASH_SLICE_BYTES));
    await nextTurn();
  }
  return hash.digest('hex');
}

function sha256(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
