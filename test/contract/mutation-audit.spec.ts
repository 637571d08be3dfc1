import { SCOPES } from '@sextant/domain';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, askOk } from '../support/graph.js';
import { type RunningGraph, startGraph } from './graph-processes.js';
import { type Probe, probes, rootFields } from './supergraph-rules.js';

const MUTATIONS = probes().filter(({ coordinate }) => coordinate.startsWith('Mutation.'));
const nameOf = ({ coordinate }: Probe): string => coordinate.replace('Mutation.', '');
const documentOf = (probe: Probe): string =>
  probe.query.replace(/^mutation /, `mutation Of_${nameOf(probe)} `);

interface Entry {
  subject: string;
  roles: string[];
  operation: string;
  fields: { name: string; argumentsDigest: string }[];
  outcome: string;
  codes: string[];
}

const LOG = `query ($after: String) { auditLog(first: 50, after: $after) {
  nodes { subject roles operation outcome codes fields { name argumentsDigest } } endCursor hasNextPage } }`;

let graph: RunningGraph;
let auditor: string;
let entries: Entry[];
/** codes of the answers to those who may, by mutation */
const answered = new Map<string, string[]>();
const refused = new Map<string, number>();

beforeAll(async () => {
  graph = await startGraph({ env: { SEXTANT_COST_RATE: '0' } });
  auditor = await graph.tokenWith({ sub: 'auditor', roles: ['operator'], scope: SCOPES.join(' ') });
  const worker = await graph.tokenWith({ sub: 'who-may', roles: ['operator'], scope: SCOPES.join(' ') });
  const nobody = await graph.tokenWith({ sub: 'who-may-not', roles: ['web'], scope: '' });
  for (const mutation of MUTATIONS) {
    const { status } = await ask(graph.url, nobody, documentOf(mutation));
    refused.set(nameOf(mutation), status);
    const { data, errors } = await ask<Record<string, { userErrors?: unknown[] } | null>>(
      graph.url,
      worker,
      documentOf(mutation),
    );
    if (data === null && errors.length === 0) throw new Error(`no answer to ${nameOf(mutation)}`);
    answered.set(
      nameOf(mutation),
      errors.map(({ extensions }) => String(extensions?.code)),
    );
  }
  entries = await finished(2 * MUTATIONS.length);
}, 240_000);
afterAll(() => graph?.stop());

/** The log, once it has as many mutations and knows how all of them ended. */
async function finished(count: number): Promise<Entry[]> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const found: Entry[] = [];
    let after: string | null = null;
    do {
      const { auditLog }: { auditLog: { nodes: Entry[]; endCursor: string; hasNextPage: boolean } } =
        await askOk(graph.url, auditor, LOG, { after });
      found.push(...auditLog.nodes);
      after = auditLog.hasNextPage ? auditLog.endCursor : null;
    } while (after !== null);
    if (found.length >= count && found.every(({ outcome }) => outcome !== 'UNKNOWN')) return found;
    if (Date.now() > deadline) throw new Error(`${found.length} of ${count} entries are there`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const entriesOf = (mutation: Probe): Entry[] =>
  entries.filter(({ operation }) => operation === `Of_${nameOf(mutation)}`);

describe('the audit log over all mutations of the graph', () => {
  it('is asked for each of them', () => {
    const all = rootFields().filter(({ coordinate }) => coordinate.startsWith('Mutation.'));
    expect(MUTATIONS.map(({ coordinate }) => coordinate).toSorted()).toEqual(
      all.map(({ coordinate }) => coordinate).toSorted(),
    );
    expect(MUTATIONS.length).toBeGreaterThan(30);
    expect(entries).toHaveLength(2 * MUTATIONS.length);
  });

  it.each(MUTATIONS)('says who asked for $coordinate with what, and how it ended', (mutation) => {
    const [entry] = entriesOf(mutation).filter(({ subject }) => subject === 'who-may');
    const codes = answered.get(nameOf(mutation)) ?? [];
    expect(entry).toMatchObject({
      roles: ['operator'],
      fields: [
        { name: nameOf(mutation), argumentsDigest: expect.stringMatching(/^[0-9a-f]{32}$/) as string },
      ],
      outcome: codes.length > 0 ? 'FAILED' : 'OK',
    });
    expect(entry?.codes).toEqual(expect.arrayContaining([...new Set(codes)]));
  });

  it.each(MUTATIONS)('says who was refused $coordinate, and with what', (mutation) => {
    const [entry, ...others] = entriesOf(mutation).filter(({ subject }) => subject === 'who-may-not');
    const [allowed] = entriesOf(mutation).filter(({ subject }) => subject === 'who-may');
    expect([refused.get(nameOf(mutation)), others]).toEqual([403, []]);
    expect(entry).toMatchObject({
      ...{ roles: ['web'], outcome: 'REFUSED', codes: ['FORBIDDEN'] },
      fields: allowed?.fields ?? [],
    });
    expect(entry?.fields).toHaveLength(1);
  });
});
