import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const MAIN = join(import.meta.dirname, '../dist/main.js');

/** Runs the built launcher until it ends by itself. */
async function started(env: Record<string, string>, args: string[] = []) {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...process.env, npm_lifecycle_event: '', SEXTANT_STOP_WITH_PARENT: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (said.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said.stderr += chunk.toString()));
  const code = await new Promise((resolve) => child.once('close', resolve));
  return { code, ...said };
}

describe('a start that fails', () => {
  it('says why on stderr only, and ends with 1', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sextant-launcher-'));
    const file = join(folder, 'no-folder');
    await writeFile(file, '');
    const { code, stdout, stderr } = await started({ SEXTANT_DATA_DIR: file });
    expect(code).toBe(1);
    expect(stderr).toContain(file);
    expect(stdout).not.toContain(file);
    await rm(folder, { recursive: true });
  });

  it('by a bad setting too', async () => {
    const { code, stdout, stderr } = await started({ SEXTANT_PORT_BASE: 'abc' });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('SEXTANT_PORT_BASE');
  });

  it('by a wrong flag ends with 2 and the usage', async () => {
    const { code, stdout, stderr } = await started({}, ['--fast']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('npm start');
  });
});
