import { spawn } from 'node:child_process';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, gunzipSync } from 'node:zlib';

const ROOT = join(import.meta.dirname, '../..');

/** Folder of the public data sets; tests on them say that they skipped when it is not given. */
export const PUBLIC_DATA = process.env['SEXTANT_DATA'] ?? '';

export interface Table {
  header: string;
  /** one CSV line each; these sets quote nothing that the tests read */
  rows: string[];
}

export async function readTable(path: string): Promise<Table> {
  const [header = '', ...rows] = gunzipSync(await readFile(join(PUBLIC_DATA, path)))
    .toString('utf8')
    .trimEnd()
    .split('\n');
  return { header, rows };
}

/** The published rule: 0-based data row i is a test row when crc32 of its decimal is below 2 modulo 10. */
export function isTestRow(i: number): boolean {
  return crc32(String(i)) % 10 < 2;
}

/** Writes a folder that looks like a published one, from the given tables. */
export async function folderOf(files: Record<string, Table>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sextant-data-'));
  for (const [name, { header, rows }] of Object.entries(files))
    await writeFile(join(folder, name), `${[header, ...rows].join('\n')}\n`);
  return folder;
}

/** A shipped mapping that reads plain CSV files, with further changes. */
export async function mappingOf(
  name: string,
  change: (text: string) => string = (text) => text,
): Promise<string> {
  const text = await readFile(join(ROOT, 'tools/cli/mappings', `${name}.yaml`), 'utf8');
  const path = join(await mkdtemp(join(tmpdir(), 'sextant-mapping-')), `${name}.yaml`);
  await writeFile(path, change(text.replaceAll('.csv.gz', '.csv')));
  return path;
}

/** `npm run sextant -- import`, as a person would call it. */
export function importData(options: {
  mapping: string;
  data: string;
  tenant: string;
  dataDir: string;
}): Promise<string> {
  const args = ['import', '--mapping', options.mapping, '--data', options.data, '--tenant', options.tenant];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(ROOT, 'tools/cli/dist/main.js'), ...args], {
      env: { ...process.env, SEXTANT_DATA_DIR: options.dataDir },
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.once('error', reject);
    child.once('exit', (code) =>
      code === 0 ? resolve(output) : reject(new Error(`import ended with ${code}: ${output.slice(-2_000)}`)),
    );
  });
}
