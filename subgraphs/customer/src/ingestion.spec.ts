import { customerIdOf, EVENTS_COLLECTION } from '@sextant/features';
import { ObjectId } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OutboxRepository } from './folding/outbox.repository.js';
import { aCustomerSubgraph, anEventInput, anIdentity, eventually, INGEST } from './test-customer-subgraph.js';

let customer: Awaited<ReturnType<typeof aCustomerSubgraph>>;
beforeAll(async () => {
  customer = await aCustomerSubgraph();
});
afterAll(() => customer.stop());

const countOf = (tenantId: string) => customer.db.collection(EVENTS_COLLECTION).countDocuments({ tenantId });

describe('ingestEvents', () => {
  it('stores each id once per tenant, however often it is sent', async () => {
    const tenant = anIdentity('once');
    const events = [
      anEventInput({ id: 'a' }),
      anEventInput({ id: 'b' }),
      anEventInput({ id: 'a', type: 'other' }),
    ];
    expect(await customer.ingest(events, tenant)).toMatchObject({ accepted: 2, duplicates: 1, rejected: [] });
    expect(await customer.ingest(events, tenant)).toMatchObject({ accepted: 0, duplicates: 3, rejected: [] });
    expect(await customer.ingest([...events, anEventInput()], tenant)).toMatchObject({
      accepted: 1,
      duplicates: 3,
    });
    expect(await customer.ingest(events, anIdentity('another'))).toMatchObject({
      accepted: 2,
      duplicates: 1,
    });
    expect(await countOf('once')).toBe(3);
  });

  it('replays a large batch that was stored in part, with exact counts', async () => {
    const tenant = anIdentity('replay');
    const events = Array.from({ length: 1_000 }, (_, i) =>
      anEventInput({ id: `e${i}`, customerRef: `shop:${i % 400}` }),
    );
    expect(await customer.ingest(events.slice(0, 600), tenant)).toMatchObject({
      accepted: 600,
      duplicates: 0,
    });
    expect(await customer.ingest(events, tenant)).toMatchObject({ accepted: 400, duplicates: 600 });
    expect(await customer.ingest(events, tenant)).toMatchObject({ accepted: 0, duplicates: 1_000 });
    expect(await countOf('replay')).toBe(1_000);
  });

  it('counts exactly when the same batch comes several times at once', async () => {
    const tenant = anIdentity('at-once');
    const events = Array.from({ length: 300 }, (_, i) =>
      anEventInput({ id: `e${i}`, customerRef: `shop:${i % 7}` }),
    );
    const answers = await Promise.all([1, 2, 3].map(() => customer.ingest(events, tenant)));
    expect(answers.reduce((sum, { accepted }) => sum + accepted, 0)).toBe(300);
    expect(answers.reduce((sum, { duplicates }) => sum + duplicates, 0)).toBe(600);
    const { data } = await customer.askAs(
      tenant,
      '{ customer(ref:"shop:0"){ featureVector(set:"customer"){ values } } }',
    );
    expect(data?.['customer'].featureVector.values['count.page_visit.total']).toBe(43);
  });

  it('rejects each bad row alone, with its place, and stores the others', async () => {
    const line = { productId: 'p', quantity: 1, unitPrice: '1.00' };
    const order = (lines: unknown) => ({
      type: 'order',
      properties: { orderId: 'o', currency: 'EUR', lines },
    });
    const bad: [Record<string, unknown>, string][] = [
      [{ id: '' }, 'id'],
      [{ id: null }, 'id'],
      [{ id: 'x'.repeat(257) }, 'id'],
      [{ id: {} }, 'id'],
      [{ type: '' }, 'type'],
      [{ type: 5 }, 'type'],
      [{ customerref: 'shop:1' }, 'customerref'],
      [{ at: 'yesterday' }, 'at'],
      [{ at: 17 }, 'at'],
      [{ at: '2026-02-30T00:00:00Z' }, 'at'],
      [{ at: '2026-03-01T11:00:00' }, 'at'],
      [{ at: '2026-03-02T12:00:00.001Z' }, 'at'],
      [{ customerRef: null }, 'customerRef'],
      [{ customerRef: '4711' }, 'customerRef'],
      [{ customerRef: ':4711' }, 'customerRef'],
      [{ customerRef: 'shop:' }, 'customerRef'],
      [{ type: 'price_change', properties: { productId: 'p', price: '1.00' } }, 'customerRef'],
      [{ properties: [1] }, 'properties'],
      [{ properties: 'text' }, 'properties'],
      [{ properties: { deep: { er: 1 } } }, 'properties.deep'],
      [{ properties: { ['nul\0']: 1 } }, 'properties'],
      [{ properties: { text: 'ä'.repeat(8_200) } }, 'properties'],
      [{ type: 'product_view', properties: { price: '1.00' } }, 'properties.productId'],
      [{ type: 'product_view', properties: { productId: 'p', price: 1 } }, 'properties.price'],
      [order([line, { ...line, quantity: 0 }]), 'properties.lines[1].quantity'],
      [order([line, { ...line, unitPrice: '1,00' }]), 'properties.lines[1].unitPrice'],
      [order([]), 'properties.lines'],
      [order(['p']), 'properties.lines[0]'],
      [{ type: 'sales_outcome', properties: { won: 'yes' } }, 'properties.won'],
    ];
    const good = [
      anEventInput({ at: '2026-03-02T12:00:00Z' }),
      anEventInput({ at: '2024-02-29T23:30:00-05:00', properties: { text: 'a'.repeat(16_000) } }),
      anEventInput({
        type: 'weather',
        customerRef: undefined,
        properties: { $rain: true, 'a.b': null, '': 1 },
      }),
      anEventInput({ ...order([line]), source: 'till' }),
    ];
    const rows = [...bad.map(([fields], i) => anEventInput({ id: `bad${i}`, ...fields })), ...good];
    const answer = await customer.ingest(rows, anIdentity('bad-rows'));
    expect(answer.rejected.map(({ index, path }: { index: number; path: string }) => [index, path])).toEqual(
      bad.map(([, path], i) => [i, path]),
    );
    expect(answer).toMatchObject({ accepted: good.length, duplicates: 0 });
    expect(new Set(answer.rejected.map(({ code }: { code: string }) => code))).toEqual(
      new Set(['INVALID_INPUT']),
    );
    expect(await countOf('bad-rows')).toBe(good.length);
  });

  it('rejects alone what is no event at all', async () => {
    const answer = await customer.ingest([null, 7, [], anEventInput({ id: 'ok' })], anIdentity('no-events'));
    expect(answer).toMatchObject({ accepted: 1, duplicates: 0 });
    expect(answer.rejected).toEqual(
      [0, 1, 2].map((index) => ({ index, id: '', code: 'INVALID_INPUT', path: '' })),
    );
  });

  it('takes 5,000 events and refuses 5,001 as a whole', async () => {
    const events = Array.from({ length: 5_001 }, (_, i) =>
      anEventInput({ id: `e${i}`, customerRef: `shop:${i % 1_000}` }),
    );
    const tenant = anIdentity('large');
    const refused = await customer.askAs(tenant, INGEST, { e: events });
    expect(refused.errors?.[0]?.extensions.code).toBe('BATCH_TOO_LARGE');
    expect(await countOf('large')).toBe(0);
    expect(await customer.ingest(events.slice(1), tenant)).toMatchObject({ accepted: 5_000 });
  });

  it('folds a large batch soon after the answer, and empties its outbox', async () => {
    const tenant = anIdentity('late');
    const at = (minute: number) => `2026-03-01T10:${String(minute).padStart(2, '0')}:00Z`;
    const batch = (minute: number) =>
      Array.from({ length: 900 }, (_, i) =>
        anEventInput({
          type: 'product_view',
          at: at(minute),
          customerRef: `shop:${i % 300}`,
          properties: { productId: `p${i}` },
        }),
      );
    await customer.ingest(batch(5), tenant);
    await customer.ingest(batch(6), tenant);
    await customer.ingest(batch(4), tenant);
    const { data } = await customer.askAs(tenant, '{ ingestionStatus { pendingBatches } }');
    expect(data?.['ingestionStatus'].pendingBatches).toBeGreaterThan(0);
    const vector = async () => {
      const { data } = await customer.askAs(
        tenant,
        '{ customer(ref:"shop:7"){ featureVector(set:"customer"){ values } } }',
      );
      return data?.['customer'].featureVector?.values['count.product_view.total'];
    };
    expect(await eventually(vector, (count) => count === 9)).toBe(9);
    const status = async () => {
      const { data } = await customer.askAs(tenant, '{ ingestionStatus { pendingBatches oldestPendingAt } }');
      return data?.['ingestionStatus'];
    };
    const done = { pendingBatches: 0, oldestPendingAt: null };
    expect(await eventually(status, ({ pendingBatches }) => pendingBatches === 0)).toEqual(done);
    expect(await customer.db.collection('fold_outbox').countDocuments({ tenantId: 'late' })).toBe(0);
  });

  it('counts events by tenant and outcome', async () => {
    const tenant = anIdentity('counted');
    await customer.ingest(
      [anEventInput({ id: 'a' }), anEventInput({ id: 'a' }), anEventInput({ at: 'x' })],
      tenant,
    );
    const metrics = await (await fetch(customer.subgraph.metricsUrl)).text();
    for (const outcome of ['accepted', 'duplicate', 'rejected']) {
      expect(metrics).toContain(`sextant_ingested_events_total{tenant="counted",outcome="${outcome}"} 1`);
    }
    expect(metrics).toMatch(/sextant_fold_lag_seconds \d/);
    expect(metrics).toMatch(/sextant_fold_outbox_batches \d/);
  });
});

describe('a crash between storing and folding', () => {
  it('leaves a batch in the outbox that the next process folds once it is old enough', async () => {
    const { db } = customer;
    const id = customerIdOf('crash', 'shop:1');
    const tenant = anIdentity('crash');
    await customer.ingest([anEventInput({ id: 'a', at: '2026-03-01T09:00:00Z' })], tenant);
    await db.collection(EVENTS_COLLECTION).insertMany([
      {
        _id: 'crash:b' as never,
        tenantId: 'crash',
        customerId: id,
        type: 'page_visit',
        at: new Date('2026-03-01T08:00:00Z'),
        properties: {},
      },
      {
        _id: 'crash:c' as never,
        tenantId: 'crash',
        type: 'account_update',
        at: new Date(0),
        properties: { accountRef: 'acme', name: 'Acme' },
      },
    ]);
    const batch = {
      tenantId: 'crash',
      at: new Date('2026-03-01T11:58:59Z'),
      customerIds: [id],
      accountEventIds: ['c'],
    };
    const outbox = new OutboxRepository(db);
    await outbox.add({ ...batch, id: new ObjectId() });
    await outbox.add({ ...batch, id: new ObjectId(), at: new Date('2026-03-01T11:59:30Z') });
    const second = await aCustomerSubgraph({ uri: uriOf(db) });
    const query =
      '{ customer(ref:"shop:1"){ featureVector(set:"customer"){ values } } account(id:"acme"){ name } }';
    const { data } = await eventually(
      () => second.askAs(tenant, query),
      (answer) => answer.data?.['account'] !== null,
    );
    expect(data?.['customer'].featureVector.values['count.page_visit.total']).toBe(2);
    expect(data?.['account'].name).toBe('Acme');
    const left = () => db.collection('fold_outbox').find({ tenantId: 'crash' }).toArray();
    const [young] = await eventually(left, (batches) => batches.length === 1);
    expect(young?.['at']).toEqual(new Date('2026-03-01T11:59:30Z'));
    await second.stop();
  });
});

function uriOf(db: typeof customer.db): string {
  const { hosts, replicaSet } = db.client.options;
  return `mongodb://${hosts.join(',')}/${db.databaseName}?replicaSet=${replicaSet ?? ''}`;
}
