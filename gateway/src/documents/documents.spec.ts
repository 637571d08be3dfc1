import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aGateway, type Answer, ask } from '../test-gateway.js';
import { readManifest, sha256 } from './manifest.js';

type Running = Awaited<ReturnType<typeof aGateway>>;

const PAGE = 'query Page { customer(id: "1") { id name } }';
const OTHER = 'query Other { customer(id: "2") { id } }';
const codesOf = ({ errors }: Answer) => errors?.map(({ extensions }) => extensions.code);
const asked = ({ subgraphs }: Running): number =>
  Object.values(subgraphs).reduce((sum, { requests }) => sum + requests.length, 0);
const persisted = (hash: string) => ({ persistedQuery: { version: 1, sha256Hash: hash } });
const entry = (body: string, id = `sha256:${sha256(body)}`) => ({ id, name: 'A', type: 'query', body });
const manifest = (...documents: object[]) =>
  JSON.stringify({ format: 'sextant-persisted-documents', version: 1, documents });

async function send(running: Running, body: unknown, claims: object = {}): Promise<Answer> {
  return ask(running.gateway.url, body, { authorization: `Bearer ${await running.token({ ...claims })}` });
}

async function get(running: Running, search: Record<string, string>): Promise<Answer> {
  const response = await fetch(`${running.gateway.url}?${new URLSearchParams(search)}`, {
    headers: {
      authorization: `Bearer ${await running.token()}`,
      'apollo-require-preflight': 'true',
      accept: 'application/graphql-response+json',
    },
  });
  return { status: response.status, headers: response.headers, ...((await response.json()) as object) };
}

/** The first message about an operation that is sent over a WebSocket. */
async function overSocket(running: Running, payload: object): Promise<{ type: string; payload: unknown }> {
  const authorization = `Bearer ${await running.token()}`;
  const socket = new WebSocket(running.gateway.url.replace('http', 'ws'), 'graphql-transport-ws');
  const send = (message: object): void => socket.send(JSON.stringify(message));
  socket.addEventListener('open', () => send({ type: 'connection_init', payload: { authorization } }));
  const answer = await new Promise<{ type: string; payload: unknown }>((resolve, reject) => {
    socket.addEventListener('close', ({ code, reason }) => reject(new Error(`closed: ${code} ${reason}`)));
    socket.addEventListener('message', ({ data }) => {
      const message = JSON.parse(String(data)) as { type: string; payload: unknown };
      if (message.type === 'connection_ack') send({ id: '1', type: 'subscribe', payload });
      if (message.type === 'next' || message.type === 'error') resolve(message);
    });
  });
  socket.close();
  return answer;
}

/** All that comes for an operation that asks for an event stream. */
async function overEvents(running: Running, body: object): Promise<string> {
  const response = await fetch(running.gateway.url, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: {
      authorization: `Bearer ${await running.token()}`,
      accept: 'text/event-stream',
      'content-type': 'application/json',
    },
  });
  return response.text();
}

async function until<T>(attempt: () => Promise<T>, isWanted: (value: T) => boolean): Promise<T> {
  const deadlineMs = Date.now() + 10_000;
  for (;;) {
    const value = await attempt();
    if (isWanted(value)) return value;
    if (Date.now() > deadlineMs) throw new Error(`still ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('automatic persisted queries', () => {
  let running: Running;
  beforeAll(async () => {
    running = await aGateway();
  });
  afterAll(() => running.stop());

  it('are sent once, then run by their hash, by POST and by GET', async () => {
    const hash = sha256(PAGE);
    const missing = await send(running, { extensions: persisted(hash) });
    expect(codesOf(missing)).toEqual(['PERSISTED_QUERY_NOT_FOUND']);
    expect(missing.errors?.[0]?.message).toBe('PersistedQueryNotFound');
    const data = { customer: { id: '1', name: 'Customer 1' } };
    expect((await send(running, { query: PAGE, extensions: persisted(hash) })).data).toEqual(data);
    expect((await send(running, { extensions: persisted(hash) })).data).toEqual(data);
    expect((await get(running, { extensions: JSON.stringify(persisted(hash)) })).data).toEqual(data);
  });

  it('are kept under their own hash only', async () => {
    const wrong = persisted(sha256(OTHER));
    expect(codesOf(await send(running, { query: PAGE, extensions: wrong }))).toEqual([
      'PERSISTED_QUERY_HASH_MISMATCH',
    ]);
    expect(codesOf(await send(running, { extensions: wrong }))).toEqual(['PERSISTED_QUERY_NOT_FOUND']);
    expect(codesOf(await send(running, { extensions: persisted('abc') }))).toEqual(['INVALID_INPUT']);
  });

  it('have no ids where there is no manifest', async () => {
    expect(codesOf(await send(running, { documentId: `sha256:${sha256(PAGE)}` }))).toEqual([
      'DOCUMENT_NOT_FOUND',
    ]);
  });
});

describe('a client held to the manifest', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sextant-manifest-'));
  let running: Running;
  beforeAll(async () => {
    writeFileSync(join(folder, 'web.json'), manifest(entry(PAGE)));
    running = await aGateway({
      SEXTANT_DOCUMENTS: 'safelist',
      SEXTANT_DOCUMENT_MANIFEST: folder,
      SEXTANT_BATCH_LIMIT: '5',
    });
  });
  afterAll(() => running.stop());

  it('runs its documents by id, by hash and as they are written', async () => {
    const data = { customer: { id: '1', name: 'Customer 1' } };
    const hash = sha256(PAGE);
    for (const body of [
      { documentId: `sha256:${hash}` },
      { documentId: hash },
      { extensions: persisted(hash) },
      { query: PAGE },
      { query: PAGE, extensions: persisted(hash) },
    ])
      expect((await send(running, body)).data).toEqual(data);
    expect((await get(running, { documentId: `sha256:${hash}` })).data).toEqual(data);
  });

  it('runs nothing else, however it sends it, and no subgraph hears of it', async () => {
    const before = asked(running);
    const refused = [403, ['DOCUMENT_NOT_SAFELISTED']];
    const outcome = (answer: Answer) => [answer.status, codesOf(answer)];
    const hash = sha256(OTHER);
    for (const body of [
      { query: OTHER },
      { query: `${PAGE} ` },
      { query: `${PAGE} ${OTHER}`, operationName: 'Page' },
      { query: '{ __schema { queryType { name } } }' },
      { query: OTHER, extensions: persisted(hash) },
      { query: OTHER, extensions: persisted(sha256(PAGE)) },
      { extensions: persisted(hash) },
    ])
      expect(outcome(await send(running, body))).toEqual(refused);
    expect(outcome(await get(running, { query: OTHER }))).toEqual(refused);
    expect(codesOf(await send(running, { query: OTHER, documentId: `sha256:${sha256(PAGE)}` }))).toEqual([
      'INVALID_INPUT',
    ]);
    const batch = Object.values(
      await send(running, [{ query: OTHER }, { extensions: persisted(hash) }]),
    ).filter((value) => typeof value === 'object' && 'errors' in value);
    expect(batch.map((answer) => codesOf(answer as Answer))).toEqual([
      ['DOCUMENT_NOT_SAFELISTED'],
      ['DOCUMENT_NOT_SAFELISTED'],
    ]);
    expect(asked(running)).toBe(before);
  });

  it('runs nothing else over a WebSocket or as an event stream either', async () => {
    const hash = sha256(OTHER);
    const allowed = await overSocket(running, { query: PAGE });
    expect(allowed).toMatchObject({ type: 'next', payload: { data: { customer: { id: '1' } } } });
    const before = asked(running);
    for (const body of [
      { query: OTHER },
      { query: 'subscription { __typename }' },
      { query: OTHER, extensions: persisted(hash) },
      { query: '', extensions: persisted(hash) },
    ]) {
      expect(JSON.stringify(await overSocket(running, body))).toContain('DOCUMENT_NOT_SAFELISTED');
      expect(await overEvents(running, body)).toContain('DOCUMENT_NOT_SAFELISTED');
    }
    expect(asked(running)).toBe(before);
  });

  it('follows the manifest; a wrong one changes nothing, and what is taken out runs no more', async () => {
    writeFileSync(join(folder, 'more.json'), manifest(entry(OTHER, 'other')));
    const added = await until(
      () => send(running, { documentId: 'other' }),
      ({ errors }) => errors === undefined,
    );
    expect(added.data).toEqual({ customer: { id: '2' } });
    writeFileSync(join(folder, 'more.json'), '{ "format": "sextant-persisted-documents" ');
    writeFileSync(join(folder, 'web.json'), manifest(entry(PAGE), entry(PAGE.replace('name', ''))));
    expect((await send(running, { documentId: 'other' })).data).toEqual({ customer: { id: '2' } });
    writeFileSync(join(folder, 'more.json'), manifest());
    const gone = await until(
      () => send(running, { documentId: 'other' }),
      ({ errors }) => errors !== undefined,
    );
    expect(codesOf(gone)).toEqual(['DOCUMENT_NOT_FOUND']);
    expect((await send(running, { query: PAGE.replace('name', '') })).data).toEqual({
      customer: { id: '1' },
    });
  });
});

describe('partners', () => {
  it('are held to the manifest as soon as there is one, the company is not', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sextant-manifest-'));
    const listed = 'query Listed { __typename }';
    writeFileSync(join(folder, 'partner.json'), manifest(entry(listed)));
    const running = await aGateway({ SEXTANT_DOCUMENT_MANIFEST: folder });
    const other = 'query Unlisted { __typename }';
    try {
      const url = running.gateway.url.replace(/graphql$/, 'partner/graphql');
      const authorization = `Bearer ${await running.token({ roles: ['partner'] })}`;
      const asPartner = (body: object) => ask(url, body, { authorization });
      expect((await asPartner({ query: listed })).data).toEqual({ __typename: 'Query' });
      expect(codesOf(await asPartner({ query: other }))).toEqual(['DOCUMENT_NOT_SAFELISTED']);
      const registering = { query: other, extensions: persisted(sha256(other)) };
      expect(codesOf(await asPartner(registering))).toEqual(['DOCUMENT_NOT_SAFELISTED']);
      expect((await send(running, registering)).data).toEqual({ __typename: 'Query' });
      expect(codesOf(await asPartner({ extensions: persisted(sha256(other)) }))).toEqual([
        'DOCUMENT_NOT_SAFELISTED',
      ]);
    } finally {
      await running.stop();
    }
  });
});

describe('a manifest', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sextant-manifest-'));
  const written = (content: unknown): string => {
    const path = join(folder, 'manifest.json');
    writeFileSync(path, JSON.stringify(content));
    return path;
  };

  it('may be of Apollo or Relay', () => {
    const apollo = {
      format: 'apollo-persisted-query-manifest',
      version: 1,
      operations: [{ id: 'a1', name: 'Page', type: 'query', body: PAGE }],
    };
    expect(readManifest(written(apollo)).find('a1')).toBe(PAGE);
    expect(readManifest(written({ r1: PAGE })).find(`sha256:${sha256(PAGE)}`)).toBe(PAGE);
  });

  it('is refused with the place of what is wrong', () => {
    const wrong = { format: 'sextant-persisted-documents', version: 1, documents: [{ id: 'x' }] };
    expect(() => readManifest(written(wrong))).toThrow(/manifest\.json: it is wrong at documents\.0\.body/);
    const other = { ...wrong, documents: [entry(PAGE, `sha256:${sha256(OTHER)}`)] };
    expect(() => readManifest(written(other))).toThrow(/is not what its id says/);
    const twice = { ...wrong, documents: [entry(PAGE, 'a'), entry(OTHER, 'a')] };
    expect(() => readManifest(written(twice))).toThrow(/two documents have the id a/);
    expect(() => readManifest(join(folder, 'none.json'))).toThrow(/none\.json cannot be read/);
  });
});
