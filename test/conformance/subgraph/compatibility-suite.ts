import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const NAME = '@apollo/federation-subgraph-compatibility-tests';
const VERSION = '1.2.1';
const SHA512 = 'aR8+SS8lgMa+DEc1Gjn7d1IeqJGxegfwdFhDiF2eT6T0fGujCYEgJQXqPKMXRViIiFtoqxGktvpjJmILrC5coA==';
const CACHE = join(import.meta.dirname, '../../../node_modules/.cache/sextant');

/**
 * Folder of Apollo's suite as npm has it, fetched at the first call and proven by its hash. It is no dependency: it would bring rover
 * (whose installation downloads a binary), pm2 and jest along, and none of them is used here.
 */
export function compatibilitySuite(): string {
  const home = join(CACHE, `subgraph-compatibility-${VERSION}`);
  if (existsSync(home)) return join(home, 'package');
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, 'fetch-'));
  const archive = join(folder, packed(folder));
  const hash = createHash('sha512').update(readFileSync(archive)).digest('base64');
  if (hash !== SHA512) throw new Error(`${NAME}@${VERSION} is not what was pinned: its SHA-512 is ${hash}`);
  execFileSync('tar', ['-xzf', archive, '-C', folder]);
  rmSync(archive);
  if (existsSync(home)) rmSync(folder, { recursive: true });
  else renameSync(folder, home);
  return join(home, 'package');
}

/** Name of the archive, which lies in the folder then. @throws Error where there is no npm registry */
function packed(folder: string): string {
  try {
    const args = ['pack', '--silent', '--pack-destination', folder, `${NAME}@${VERSION}`];
    const told = execFileSync('npm', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
    return told.trim().split('\n').at(-1) ?? '';
  } catch (cause) {
    rmSync(folder, { recursive: true, force: true });
    throw new Error(`${NAME}@${VERSION} could not be had from npm, which the first run needs`, { cause });
  }
}
