import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError } from '@sextant/domain';
import { manifest as manifestSchema, type Manifest, type ModelCard } from './manifest.js';

/**
 * A model repository in a directory:
 * `<root>/<model>/<version>/{model.onnx, manifest.json, card.json, …}` and `<root>/<model>/live`, which holds the serving version.
 * A version appears whole or not at all (rename of a finished directory); `live` is replaced in one step.
 */
export class ModelDirectory {
  constructor(readonly root: string) {}

  async listModels(): Promise<string[]> {
    const entries = await readdir(this.root, { withFileTypes: true }).catch(emptyWhenMissing);
    return entries
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
      .map((entry) => entry.name)
      .sort();
  }

  async listVersions(model: string): Promise<number[]> {
    const entries = await readdir(join(this.root, model), { withFileTypes: true }).catch(emptyWhenMissing);
    return entries
      .filter((entry) => entry.isDirectory() && /^[1-9]\d*$/.test(entry.name))
      .map((entry) => Number(entry.name))
      .sort((a, b) => a - b);
  }

  /** The serving version, or null when none was ever put live. */
  async findLiveVersion(model: string): Promise<number | null> {
    const text = await readFile(join(this.root, model, 'live'), 'utf8').catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return '';
        throw error;
      },
    );
    return /^[1-9]\d*\s*$/.test(text) ? Number(text) : null;
  }

  async setLiveVersion(model: string, version: number): Promise<void> {
    const target = join(this.root, model, 'live');
    const draft = `${target}.${randomUUID()}`;
    await writeDurably(draft, `${version}\n`);
    await rename(draft, target);
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
    const files = new Map<string, Buffer>();
    for (const { path, sha256, bytes } of manifest.files) {
      const content = await readFile(this.path(model, version, path)).catch((cause: unknown) => {
        throw new DomainError(
          'ARTEFACT_INVALID',
          `${model}/${version}/${path} is named in the manifest and cannot be read`,
          { cause },
        );
      });
      const actual = createHash('sha256').update(content).digest('hex');
      if (content.byteLength !== bytes || actual !== sha256) {
        throw new DomainError(
          'ARTEFACT_HASH_MISMATCH',
          `${model}/${version}/${path} is not the file the manifest describes (sha256 ${actual})`,
        );
      }
      files.set(path, content);
    }
    return { manifest, files };
  }

  async readManifest(model: string, version: number): Promise<Manifest> {
    const text = await readFile(this.path(model, version, 'manifest.json'), 'utf8').catch(
      (cause: unknown) => {
        throw new DomainError('ARTEFACT_INVALID', `${model}/${version} has no readable manifest.json`, {
          cause,
        });
      },
    );
    const parsed = manifestSchema.safeParse(parseJson(text));
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      throw new DomainError(
        'ARTEFACT_INVALID',
        `${model}/${version}/manifest.json: ${issue?.path.join('.')} ${issue?.message}`,
      );
    }
    if (parsed.data.model !== model || parsed.data.version !== version) {
      throw new DomainError(
        'ARTEFACT_INVALID',
        `${model}/${version}/manifest.json describes ${parsed.data.model}/${parsed.data.version}`,
      );
    }
    return parsed.data;
  }

  async readCard(model: string, version: number): Promise<ModelCard> {
    return parseJson(await readFile(this.path(model, version, 'card.json'), 'utf8')) as ModelCard;
  }

  /** Writes the next version in one step and returns its number; hashes and sizes in the manifest are filled in here. */
  async publish(
    draft: Omit<Manifest, 'version' | 'files' | 'formatVersion'>,
    files: ReadonlyMap<string, Uint8Array>,
    card: ModelCard,
  ): Promise<Manifest> {
    const version = ((await this.listVersions(draft.model)).at(-1) ?? 0) + 1;
    const described = [...files].map(([path, content]) => ({
      path,
      sha256: createHash('sha256').update(content).digest('hex'),
      bytes: content.byteLength,
    }));
    const manifest = manifestSchema.parse({ formatVersion: 1, ...draft, version, files: described });
    const staging = join(this.root, `.staging-${randomUUID()}`);
    await mkdir(staging, { recursive: true });
    try {
      for (const [path, content] of files) await writeDurably(join(staging, path), content);
      await writeDurably(join(staging, 'card.json'), `${JSON.stringify(card, null, 2)}\n`);
      await writeDurably(join(staging, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
      await mkdir(join(this.root, draft.model), { recursive: true });
      await rename(staging, this.path(draft.model, version));
    } catch (error) {
      await rm(staging, { recursive: true, force: true });
      throw error;
    }
    return manifest;
  }

  private path(model: string, version: number, file = ''): string {
    return join(this.root, model, String(version), file);
  }
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

function emptyWhenMissing(error: NodeJS.ErrnoException): never[] {
  if (error.code === 'ENOENT') return [];
  throw error;
}
