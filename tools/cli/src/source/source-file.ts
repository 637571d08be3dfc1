import { createReadStream, statSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { DomainError } from '@sextant/domain';

/** A file of the data folder, plain or gzipped, read as a stream. */
export interface SourceFile {
  /** As the mapping names it. */
  name: string;
  path: string;
  bytes: number;
}

/** The file, or the same with `.gz` put to or taken from its name; null when there is neither. */
export function findSource(folder: string, name: string): SourceFile | null {
  const twin = name.endsWith('.gz') ? name.slice(0, -3) : `${name}.gz`;
  for (const candidate of [name, twin]) {
    const path = join(folder, candidate);
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isFile()) return { name, path, bytes: found.size };
  }
  return null;
}

/**
 * Bytes of the file, unpacked.
 *
 * @param onBytes  told how many bytes of the file itself have been read
 */
export function openSource(
  { path }: SourceFile,
  onBytes: (bytes: number) => void = () => undefined,
): Readable {
  const file = createReadStream(path, { highWaterMark: 256 * 1024 });
  file.on('data', (chunk) => onBytes(chunk.length));
  return path.endsWith('.gz') ? pipeline(file, createGunzip(), () => undefined) : file;
}

/** A file that breaks while it is read (half a gzip, no permission) as IMPORT_SOURCE_INVALID; other errors as they are. */
export function sourceError(error: unknown, { name }: SourceFile): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code.startsWith('Z_'))
    return new DomainError('IMPORT_SOURCE_INVALID', `${name} is no whole gzip file: fetch it again`, {
      cause: error,
    });
  if (!/^E[A-Z]+$/.test(code)) return error;
  return new DomainError(
    'IMPORT_SOURCE_INVALID',
    `${name} cannot be read (${code}): check the file and its permissions`,
    { cause: error },
  );
}
