import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError } from '@sextant/domain';
import type { Manifest, ModelCard } from './manifest.js';
import {
  completeManifest,
  isModelName,
  type ManifestDraft,
  type ModelEntry,
  type ModelRepository,
  parseManifest,
  readProvenFiles,
  refuseUsed,
  sharedBuffer,
  type StoredVersion,
  type VersionMark,
} from './model-repository.js';
import { DEFAULT_SERVING, parseServingConfig, type ServingConfig, servingConfig } from './serving.js';

const ONNX_FILE = 'model.onnx';
const MANIFEST_FILE = 'manifest.json';
const SERVING_FILE = 'serving.json';

/**
 * A model repository in a directory:
 * `<root>/<model>/<version>/{model.onnx, manifest.json, card.json, …}`, `<root>/<model>/live`, which holds the serving version, and
 * `<root>/<model>/serving.json` where a model is served in a special way. A version appears whole or not at all (rename of a
 * finished directory); `live` and `serving.json` are replaced in one step. A folder `<version>/model.onnx` without a manifest is a
 * plain model, as Triton has them.
 */
export class ModelDirectory implements ModelRepository {
  constructor(readonly root: string) {}

  get location(): string {
    return this.root;
  }

  async isThere(): Promise<boolean> {
    return (await statOrNull(this.root)) !== null;
  }

  /** People put files there too. */
  async findRevision(): Promise<null> {
    return null;
  }

  async listModels(): Promise<string[]> {
    const entries = await readdir(this.root, { withFileTypes: true }).catch(emptyWhenMissing);
    return entries
      .filter((entry) => mayBeFolder(entry) && isModelName(entry.name))
      .map((entry) => entry.name)
      .sort();
  }

  async listVersions(model: string): Promise<number[]> {
    if (!isModelName(model)) return [];
    const entries = await readdir(join(this.root, model), { withFileTypes: true }).catch(emptyWhenMissing);
    return entries
      .filter((entry) => mayBeFolder(entry) && /^[1-9]\d{0,14}$/.test(entry.name))
      .map((entry) => Number(entry.name))
      .sort((a, b) => a - b);
  }

  async readEntry(model: string): Promise<ModelEntry> {
    const [versions, live, text] = await Promise.all([
      this.listVersions(model),
      this.findLiveVersion(model),
      readTextOrNull(join(this.root, model, SERVING_FILE)),
    ]);
    return { versions, live, serving: text === null ? DEFAULT_SERVING : parseServingConfig(model, text) };
  }

  /** The serving version, or null when none was ever put live. */
  async findLiveVersion(model: string): Promise<number | null> {
    const text = (await readTextOrNull(join(this.root, model, 'live'))) ?? '';
    return /^[1-9]\d*\s*$/.test(text) ? Number(text) : null;
  }

  async findMark(model: string, version: number): Promise<VersionMark | null> {
    const described = await statOrNull(this.path(model, version, MANIFEST_FILE));
    const found = described ?? (await statOrNull(this.path(model, version, ONNX_FILE)));
    if (!found) return null;
    return { stamp: `${found.mtimeMs}/${found.size}/${found.ino}`, isPlain: described === null };
  }

  async setLiveVersion(model: string, version: number | null): Promise<void> {
    await this.replace(model, 'live', version === null ? '' : `${version}\n`);
  }

  async setServing(model: string, serving: Partial<ServingConfig>): Promise<void> {
    await this.replace(model, SERVING_FILE, `${JSON.stringify(servingConfig.parse(serving), null, 2)}\n`);
  }

  async removeVersion(model: string, version: number): Promise<void> {
    const entry = await this.readEntry(model);
    if (!entry.versions.includes(version)) return;
    refuseUsed(model, version, entry);
    // One step takes it away; what is left to delete is no version any more.
    const gone = join(this.root, `.removed-${randomUUID()}`);
    await rename(this.path(model, version), gone);
    await rm(gone, { recursive: true, force: true });
  }

  async readVersion(model: string, version: number): Promise<StoredVersion> {
    const mark = await this.findMark(model, version);
    if (mark === null || !mark.isPlain) return this.readVerified(model, version);
    return { manifest: null, files: new Map([[ONNX_FILE, await this.read(model, version, ONNX_FILE)]]) };
  }

  /**
   * Reads a manifest and proves every file it names.
   *
   * @throws DomainError ARTEFACT_INVALID for a manifest that does not parse or names another model, ARTEFACT_HASH_MISMATCH for a changed file
   */
  async readVerified(
    model: string,
    version: number,
  ): Promise<{ manifest: Manifest; files: Map<string, Buffer> }> {
    const manifest = await this.readManifest(model, version);
    return { manifest, files: await readProvenFiles(manifest, (path) => this.read(model, version, path)) };
  }

  async readManifest(model: string, version: number): Promise<Manifest> {
    const path = this.path(model, version, MANIFEST_FILE);
    const text = await readFile(path, 'utf8').catch((cause: unknown) => {
      const message = `${model}/${version} has no readable ${MANIFEST_FILE}`;
      throw new DomainError('ARTEFACT_INVALID', message, { cause });
    });
    return parseManifest(model, version, parseJson(text));
  }

  async readCard(model: string, version: number): Promise<ModelCard> {
    return parseJson(await readFile(this.path(model, version, 'card.json'), 'utf8')) as ModelCard;
  }

  async publish(
    draft: ManifestDraft,
    files: ReadonlyMap<string, Uint8Array>,
    card: ModelCard,
  ): Promise<Manifest> {
    const staging = join(this.root, `.staging-${randomUUID()}`);
    await mkdir(staging, { recursive: true });
    try {
      for (const [path, content] of files) await writeDurably(join(staging, path), content);
      await writeDurably(join(staging, 'card.json'), `${JSON.stringify(card, null, 2)}\n`);
      await mkdir(join(this.root, draft.model), { recursive: true });
      return await this.publishNext(draft, files, staging);
    } catch (error) {
      await rm(staging, { recursive: true, force: true });
      throw error;
    }
  }

  /** Trainers that publish the same model at once take the next number each. */
  private async publishNext(
    draft: ManifestDraft,
    files: ReadonlyMap<string, Uint8Array>,
    staging: string,
  ): Promise<Manifest> {
    for (;;) {
      const version = ((await this.listVersions(draft.model)).at(-1) ?? 0) + 1;
      const manifest = completeManifest(draft, version, files);
      await writeDurably(join(staging, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`);
      try {
        await rename(staging, this.path(draft.model, version));
        return manifest;
      } catch (error) {
        if (!isTaken(error)) throw error;
      }
    }
  }

  /** Nothing is held open. */
  async close(): Promise<void> {}

  private async replace(model: string, file: string, content: string): Promise<void> {
    const target = join(this.root, model, file);
    const draft = `${target}.${randomUUID()}`;
    await writeDurably(draft, content);
    await rename(draft, target);
  }

  private read(model: string, version: number, file: string): Promise<Buffer> {
    return readShared(this.path(model, version, file));
  }

  private path(model: string, version: number, file = ''): string {
    return join(this.root, model, String(version), file);
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOTEMPTY' || error.code === 'EEXIST');
}

function mayBeFolder(entry: { isDirectory(): boolean; isSymbolicLink(): boolean }): boolean {
  return entry.isDirectory() || entry.isSymbolicLink();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DomainError('ARTEFACT_INVALID', 'manifest.json and card.json must be JSON', { cause });
  }
}

async function writeDurably(path: string, content: Uint8Array | string): Promise<void> {
  await writeFile(path, content);
  const handle = await open(path, 'r');
  await handle.sync().finally(() => handle.close());
}

async function readShared(path: string): Promise<Buffer> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    const content = sharedBuffer(size);
    let at = 0;
    while (at < size) {
      const { bytesRead } = await handle.read(content, at, size - at, at);
      if (bytesRead === 0) return content.subarray(0, at);
      at += bytesRead;
    }
    return content;
  } finally {
    await handle.close();
  }
}

async function readTextOrNull(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch(nullWhenMissing);
}

async function statOrNull(path: string) {
  return stat(path).catch(nullWhenMissing);
}

function nullWhenMissing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
  throw error;
}

function emptyWhenMissing(error: NodeJS.ErrnoException): never[] {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
  throw error;
}
