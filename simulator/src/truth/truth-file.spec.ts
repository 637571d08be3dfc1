import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEMO_PLAN } from '../company-plan.js';
import { simulate } from '../simulate.command.js';
import { CUSTOMER_TYPES } from './customer-types.js';

const plan = { ...DEMO_PLAN, customers: 300, products: 30, accounts: 20, days: 40 };
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'truth-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const run = (truth: string) => simulate({ plan, out: join(root, 'out'), dataDir: join(root, 'data'), truth });

describe('the truth file', () => {
  it('is readable by its owner alone, even when it stood there before, and holds every product, customer and lead', async () => {
    const file = join(root, 'truth.ndjson');
    writeFileSync(file, 'old', { mode: 0o644 });
    await run(file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const lines = readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { kind: string });
    const count = (kind: string) => lines.filter((line) => line.kind === kind).length;
    expect([count('plan'), count('product'), count('customer')]).toEqual([1, 30, 300]);
    expect(count('lead')).toBeGreaterThan(0);
    const types = new Set(lines.flatMap((line) => ('type' in line ? [line.type] : [])));
    expect([...types].toSorted()).toEqual(CUSTOMER_TYPES.map(({ name }) => name).toSorted());
  });

  it.each(['out/truth.ndjson', 'out/deeper/truth.ndjson', 'data/truth.ndjson', 'link/truth.ndjson'])(
    'is refused at %s, where others read',
    async (path) => {
      mkdirSync(join(root, 'out'));
      symlinkSync(join(root, 'out'), join(root, 'link'));
      await expect(run(join(root, path))).rejects.toMatchObject({ code: 'INVALID_INPUT', path: 'truth' });
    },
  );

  it('never replaces a folder', async () => {
    mkdirSync(join(root, 'folder'));
    await expect(run(join(root, 'folder'))).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });
});
