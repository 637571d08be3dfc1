import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { DomainError } from '@sextant/domain';
import { z } from 'zod';
import { filesAt } from '../limits/followed-file.js';

const ours = z.object({
  format: z.literal('sextant-persisted-documents'),
  version: z.literal(1),
  documents: z.array(
    z.object({ id: z.string().min(1), name: z.string().nullish(), body: z.string().min(1) }),
  ),
});
/** Apollo's `generate-persisted-query-manifest`. */
const apollo = z.object({
  format: z.literal('apollo-persisted-query-manifest'),
  version: z.literal(1),
  operations: z.array(z.object({ id: z.string().min(1), body: z.string().min(1) })),
});
/** Relay's `persistConfig.file`: texts by id. */
const relay = z.record(z.string().min(1), z.string().min(1));

const SHA256_ID = /^sha256:[0-9a-f]{64}$/;

/** Documents that may run by id, or as they are written. */
export class Manifest {
  private readonly byId = new Map<string, string>();
  private readonly hashes = new Set<string>();

  get size(): number {
    return this.byId.size;
  }

  /** All documents, each once. */
  texts(): ReadonlySet<string> {
    return new Set(this.byId.values());
  }

  /** @throws DomainError CONFIG_INVALID for an id of another document, or a hash that is not the text's */
  add(id: string, body: string): void {
    const hash = sha256(body);
    if (SHA256_ID.test(id) && id !== `sha256:${hash}`)
      throw invalid(`document ${short(id)} is not what its id says: its hash is sha256:${hash}`);
    const known = this.byId.get(id);
    if (known !== undefined && known !== body) throw invalid(`two documents have the id ${short(id)}`);
    this.byId.set(id, body);
    this.byId.set(`sha256:${hash}`, body);
    this.hashes.add(hash);
  }

  /** By its id in the manifest, or by `sha256:` and the hash of its text. */
  find(id: string): string | null {
    return this.byId.get(id) ?? null;
  }

  /** @param hash  SHA-256 of a text, hexadecimal */
  holds(hash: string): boolean {
    return this.hashes.has(hash);
  }
}

/**
 * Reads persisted documents: ours, Apollo's or Relay's format, told by their content.
 *
 * @param path  a file, or a folder of `.json` files that count together
 * @throws DomainError CONFIG_INVALID naming the file and what is wrong with it
 */
export function readManifest(path: string): Manifest {
  const manifest = new Manifest();
  for (const file of filesOf(path)) {
    try {
      for (const { id, body } of documentsOf(JSON.parse(readFileSync(file, 'utf8')))) manifest.add(id, body);
    } catch (cause) {
      throw new DomainError('CONFIG_INVALID', `SEXTANT_DOCUMENT_MANIFEST: ${file}: ${reasonOf(cause)}`, {
        cause,
      });
    }
  }
  return manifest;
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function filesOf(path: string): string[] {
  try {
    return filesAt(path);
  } catch (cause) {
    throw new DomainError('CONFIG_INVALID', `SEXTANT_DOCUMENT_MANIFEST: ${path} cannot be read`, { cause });
  }
}

function documentsOf(json: unknown): { id: string; body: string }[] {
  const format = typeof json === 'object' && json !== null && 'format' in json ? json.format : undefined;
  if (format === 'apollo-persisted-query-manifest') return checked(apollo, json).operations;
  if (format !== undefined) return checked(ours, json).documents;
  return Object.entries(checked(relay, json)).map(([id, body]) => ({ id, body }));
}

function checked<T>(schema: z.ZodType<T>, json: unknown): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalid(`it is wrong at ${issue?.path.join('.') || 'its root'}: ${issue?.message}`);
}

function invalid(message: string): DomainError {
  return new DomainError('CONFIG_INVALID', message);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function short(text: string): string {
  return text.slice(0, 80);
}
