import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { customerIdOf } from '@sextant/features';
import { aCustomerSubgraph, anEventInput, anIdentity, eventually } from '../test-customer-subgraph.js';

const SCOPES = ['customer:read', 'profile:read', 'events:write', 'segment:read', 'segment:write'];
const me = anIdentity('demo', SCOPES);
const stranger = anIdentity('other', SCOPES);
const CREATE =
  'mutation($i:SegmentInput!){ createSegment(input:$i){ segment{ id name kind definition size stability preview(first:100){ ref } sizeHistory{ at size } } userErrors{ code message field } } }';
const DISCOVER =
  'mutation{ discoverSegments(input:{maxSegments:4}){ discovery{ state because failure{ code message } candidates{ k stability{ value } silhouette{ value } } } segments{ id name kind size stability profile{ feature segmentMean populationMean lift difference } } userErrors{ code field } } }';

let customer: Awaited<ReturnType<typeof aCustomerSubgraph>>;
beforeAll(async () => {
  customer = await aCustomerSubgraph();
  await customer.ingest(company(), me);
  await everythingFolded();
});
afterAll(() => customer.stop());

/** Two kinds of customers, 30 each: lookers, who view six products a visit, and buyers, who order three units at once. */
function company(): Record<string, unknown>[] {
  return Array.from({ length: 60 }, (_, i) => visitsOf(i, i < 30 ? 'looker' : 'buyer')).flat();
}

function visitsOf(i: number, kind: 'looker' | 'buyer'): Record<string, unknown>[] {
  const customerRef = `shop:${i}`;
  return Array.from({ length: 4 + (i % 3) }, (_, visit) => {
    const at = `2026-02-${String(10 + visit).padStart(2, '0')}T0${i % 10}:00:00Z`;
    const views = kind === 'looker' ? 6 + ((i + visit) % 3) : 1 + ((i + visit) % 2);
    const seconds = kind === 'looker' ? 300 + i : 40 + i;
    return [
      anEventInput({ customerRef, at, properties: { durationSeconds: seconds } }),
      ...Array.from({ length: views }, () =>
        anEventInput({ customerRef, at, type: 'product_view', properties: { productId: `p${i % 7}` } }),
      ),
      ...(kind === 'buyer' && visit % 2 === 0
        ? [anEventInput({ customerRef, at, type: 'order', properties: order(i, visit) })]
        : []),
    ];
  }).flat();
}

function order(i: number, visit: number): Record<string, unknown> {
  const lines = [{ productId: 'p1', quantity: 3 + (i % 2), unitPrice: '10.00' }];
  return { orderId: `o${i}-${visit}`, currency: 'EUR', lines };
}

async function everythingFolded(identity = me): Promise<void> {
  await eventually(
    async () =>
      (await customer.askAs(identity, '{ ingestionStatus{ pendingBatches } }')).data?.['ingestionStatus'],
    ({ pendingBatches }) => pendingBatches === 0,
  );
}

const refs = (nodes: readonly { ref: string }[]) => nodes.map(({ ref }) => ref).toSorted();
const create = async (input: Record<string, unknown>, identity = me) =>
  (await customer.askAs(identity, CREATE, { i: input })).data?.['createSegment'];
const BUYERS = { all: [{ feature: 'count.order.total', is: 'gte', value: 2 }] };

describe('a RULE', () => {
  it('has the customers whose features meet it, is counted, and is made once', async () => {
    const { segment, userErrors } = await create({ name: 'Buyers', kind: 'RULE', definition: BUYERS });
    expect(userErrors).toEqual([]);
    expect(segment).toMatchObject({ kind: 'RULE', size: 30, stability: null, definition: BUYERS });
    expect(segment.sizeHistory).toHaveLength(1);
    expect(refs(segment.preview)).toEqual(Array.from({ length: 30 }, (_, i) => `shop:${30 + i}`).toSorted());
    const again = await create({ name: 'Buyers', kind: 'RULE', definition: BUYERS });
    expect(again.segment.id).toBe(segment.id);
    const other = { all: [{ feature: 'count.order.total', is: 'gte', value: 9 }] };
    const conflict = await create({ name: 'Buyers', kind: 'RULE', definition: other });
    expect(conflict).toMatchObject({ segment: null, userErrors: [{ code: 'IDEMPOTENCY_CONFLICT' }] });
  });

  it('is the same for the same idempotency key, which stands for no other', async () => {
    const views = { all: [{ feature: 'count.product_view.total', is: 'gte', value: 20 }] };
    const input = { name: 'Viewers', kind: 'RULE', definition: views, idempotencyKey: 'viewers-1' };
    const [one, two] = await Promise.all([create(input), create(input)]);
    expect([one.userErrors, two.userErrors]).toEqual([[], []]);
    expect(two.segment.id).toBe(one.segment.id);
    expect((await create(input)).segment).toMatchObject({ id: one.segment.id, name: 'Viewers' });
    const conflict = [{ code: 'IDEMPOTENCY_CONFLICT', field: 'input.idempotencyKey' }];
    for (const other of [{ name: 'Other viewers' }, { definition: BUYERS }, { kind: 'LOOKALIKE', size: 3 }])
      expect(await create({ ...input, ...other })).toMatchObject({ segment: null, userErrors: conflict });
    const another = { ...input, idempotencyKey: 'viewers-2' };
    expect((await create(another)).segment.id).toBe(one.segment.id);
    expect(await create({ ...another, name: 'Third' })).toMatchObject({
      segment: null,
      userErrors: conflict,
    });
    const elsewhere = await create({ ...input, name: 'Theirs' }, anIdentity('keys', SCOPES));
    expect(elsewhere).toMatchObject({ segment: { name: 'Theirs' }, userErrors: [] });
  });

  it.each(['', 'k'.repeat(129)])('needs an idempotency key of 1 to 128 characters, not "%s"', async (key) => {
    const { userErrors } = await create({
      ...{ name: 'Keyed', kind: 'RULE', definition: BUYERS, idempotencyKey: key },
    });
    expect(userErrors).toMatchObject([{ code: 'INVALID_INPUT', field: 'input.idempotencyKey' }]);
  });

  it('that failed under a key can be put right under the same key', async () => {
    const input = { name: 'Put right', kind: 'RULE', definition: { all: [] }, idempotencyKey: 'right' };
    expect((await create(input)).segment).toBeNull();
    expect((await create({ ...input, definition: BUYERS })).segment).toMatchObject({ size: 30 });
  });

  it.each([
    [
      { all: [{ feature: 'count.orders', is: 'gte', value: 1 }] },
      /no feature "count.orders".*perhaps "count\./,
    ],
    [{ all: [{ feature: 'recency.days', is: 'lt', value: 'x' }] }, /needs a number, got "x"/],
    [{ all: [{ feature: 'trait.city', is: 'in', value: 'Bern' }] }, /needs a list/],
    [{ all: [] }, /a rule is \{ all/],
    [null, /a rule is \{ all/],
  ])('%j is refused with the place and the remedy', async (definition, message) => {
    const { segment, userErrors } = await create({ name: 'Wrong', kind: 'RULE', definition });
    expect(segment).toBeNull();
    expect(userErrors[0]).toMatchObject({ code: 'INVALID_INPUT', message: expect.stringMatching(message) });
    expect(userErrors[0].field).toMatch(/^input\.definition/);
  });
});

describe('other kinds', () => {
  it('CLUSTER and PREDICTED are refused with what to do instead, and so is a name that says nothing', async () => {
    for (const [kind, remedy] of [
      ['CLUSTER', /discoverSegments/],
      ['PREDICTED', /RULE over features/],
    ] as const) {
      const { userErrors } = await create({ name: 'x', kind });
      expect(userErrors).toEqual([
        { code: 'INVALID_INPUT', field: 'input.kind', message: expect.stringMatching(remedy) },
      ]);
    }
    expect((await create({ name: ' ', kind: 'RULE', definition: BUYERS })).userErrors[0].field).toBe(
      'input.name',
    );
  });
});

describe('discoverSegments', () => {
  it('finds the two kinds by behaviour, names and sizes them, and keeps their ids when it is done again', async () => {
    const first = (await customer.askAs(me, DISCOVER)).data?.['discoverSegments'];
    expect(first).toMatchObject({ userErrors: [], discovery: { state: 'SUCCEEDED', failure: null } });
    expect(first.segments.map(({ size }: { size: number }) => size)).toEqual([30, 30]);
    expect(first.segments[0].stability).toBeGreaterThan(0.9);
    expect(first.segments[0].name).toMatch(/^(High|Low) /);
    expect(Math.abs(first.segments[0].profile[0].difference)).toBeGreaterThan(0.5);
    const again = (await customer.askAs(me, DISCOVER)).data?.['discoverSegments'];
    const ids = (payload: typeof first) => payload.segments.map(({ id }: { id: string }) => id).toSorted();
    expect(ids(again)).toEqual(ids(first));
  });

  it('puts each customer into the segment of its like, computed on read for many at once', async () => {
    const ids = [0, 1, 2, 40, 41].map((i) => customerIdOf('demo', `shop:${i}`));
    const { data, errors } = await customer.askAs(
      me,
      'query($ids:[ID!]!){ customersByIds(ids:$ids){ segments{ probability segment{ id kind name } } } }',
      { ids },
    );
    expect(errors).toBeUndefined();
    type Found = { segments: { probability: number; segment: { id: string; kind: string } }[] };
    const clusters = (data?.['customersByIds'] as Found[]).map(
      ({ segments }) => segments.filter(({ segment }) => segment.kind === 'CLUSTER')[0],
    );
    expect(new Set(clusters.slice(0, 3).map((at) => at?.segment.id)).size).toBe(1);
    expect(clusters[3]?.segment.id).toBe(clusters[4]?.segment.id);
    expect(clusters[0]?.segment.id).not.toBe(clusters[3]?.segment.id);
    expect(clusters.every((at) => (at?.probability ?? 0) > 0.5)).toBe(true);
  });

  it('refuses a bound out of range', async () => {
    const { data } = await customer.askAs(
      me,
      'mutation{ discoverSegments(input:{maxSegments:99}){ discovery{ state } userErrors{ code field } } }',
    );
    expect(data?.['discoverSegments']).toEqual({
      discovery: null,
      userErrors: [{ code: 'INVALID_INPUT', field: 'input.maxSegments' }],
    });
  });
});

describe('a LOOKALIKE', () => {
  it('has those most like the seed, none of the seed, and no more than asked for', async () => {
    const rule = { all: [{ feature: 'trait.vip', is: 'eq', value: true }] };
    await customer.ingest(
      Array.from({ length: 20 }, (_, i) =>
        anEventInput({ type: 'profile_update', customerRef: `shop:${30 + i}`, properties: { vip: true } }),
      ),
      me,
    );
    await everythingFolded();
    const seed = (await create({ name: 'VIP', kind: 'RULE', definition: rule })).segment;
    expect(seed.size).toBe(20);
    const { segment, userErrors } = await create({
      ...{ name: 'Like VIP', kind: 'LOOKALIKE', seedSegmentId: seed.id, size: 8 },
    });
    expect(userErrors).toEqual([]);
    expect(segment.size).toBe(8);
    expect(segment.stability).toBeGreaterThan(0.8);
    const members = refs(segment.preview);
    expect(members.every((ref) => Number(ref.split(':')[1]) >= 50)).toBe(true);
  });

  it('needs a seed in force that is large enough, and a size', async () => {
    const missing = await create({ name: 'a', kind: 'LOOKALIKE', size: 5 });
    expect(missing.userErrors[0]).toMatchObject({ code: 'INVALID_INPUT', field: 'input.seedSegmentId' });
    const unknown = await create({ name: 'b', kind: 'LOOKALIKE', size: 5, seedSegmentId: 'seg_404' });
    expect(unknown.userErrors[0]).toMatchObject({ code: 'SEGMENT_NOT_FOUND' });
    const definition = { all: [{ feature: 'count.order.total', is: 'gt', value: 1e6 }] };
    const empty = (await create({ name: 'Nobody', kind: 'RULE', definition })).segment;
    const small = await create({ name: 'c', kind: 'LOOKALIKE', size: 5, seedSegmentId: empty.id });
    expect(small.userErrors[0]).toMatchObject({ code: 'DATA_INSUFFICIENT' });
  });
});

describe('Customer.segments', () => {
  const of = async (id: string, first?: number) => {
    const slice = first === undefined ? '' : `(first: ${first})`;
    const answer = await customer.askAs(
      me,
      `query($id:ID!){ customer(id:$id){ segments${slice}{ probability segment{ name kind } } } }`,
      { id },
    );
    type Found = { probability: number | null; segment: { name: string; kind: string } };
    return { ...answer, found: (answer.data?.['customer']?.segments ?? []) as Found[] };
  };

  it('are the cluster first, then rules, oldest first, twenty unless more are asked for', async () => {
    const { tenantId } = me;
    const id = customerIdOf(tenantId, 'shop:40');
    const before = customer.clock.at;
    for (let i = 0; i < 22; i += 1) {
      customer.clock.at = new Date(before.getTime() + i + 1);
      const definition = { all: [{ feature: 'count.order.total', is: 'gte', value: i / 100 }] };
      expect((await create({ name: `Rule ${i}`, kind: 'RULE', definition })).userErrors).toEqual([]);
    }
    const { found } = await of(id);
    expect(found).toHaveLength(20);
    expect(found[0]?.segment.kind).toBe('CLUSTER');
    const all = (await of(id, 200)).found;
    expect(all.length).toBeGreaterThan(22);
    expect(all.slice(0, 20)).toEqual(found);
    const kinds = all.map(({ segment }) => ['CLUSTER', 'LOOKALIKE', 'RULE'].indexOf(segment.kind));
    expect(kinds).toEqual(kinds.toSorted());
    expect(all.at(-1)?.segment.name).toBe('Rule 21');
    expect((await of(id, 1)).found).toEqual(all.slice(0, 1));
    customer.clock.at = before;
  }, 30_000);

  it.each([0, 201])('refuses first: %i', async (first) => {
    const { errors } = await of(customerIdOf('demo', 'shop:40'), first);
    expect(errors?.[0]?.extensions.code).toBe('INVALID_INPUT');
  });
});

describe('refreshSegments', () => {
  it('counts anew, and reports new customers whom no segment explains', async () => {
    const tenant = anIdentity('growing', SCOPES);
    const state = async () =>
      (
        await customer.askAs(
          tenant,
          '{ segmentDiscovery{ emerging{ customers expected pValue description } } }',
        )
      ).data?.['segmentDiscovery'].emerging;
    await customer.ingest(company(), tenant);
    await everythingFolded(tenant);
    await customer.askAs(tenant, DISCOVER);
    expect(await state()).toBeNull();
    const before = customer.clock.at;
    customer.clock.at = new Date(before.getTime() + 3 * 24 * 60 * 60 * 1000);
    try {
      const rows = Array.from({ length: 25 }, (_, i) => wholesaler(i)).flat();
      await customer.ingest(rows, tenant);
      await everythingFolded(tenant);
      const refresh =
        'mutation{ refreshSegments{ segments{ size sizeHistory{ size } } userErrors{ code } } }';
      const { data } = await customer.askAs(tenant, refresh);
      type Counted = { size: number; sizeHistory: unknown[] };
      const segments = data?.['refreshSegments'].segments as Counted[];
      expect(segments.reduce((sum, { size }) => sum + size, 0)).toBe(85);
      expect(segments.every(({ sizeHistory }) => sizeHistory.length === 2)).toBe(true);
      const emerging = await state();
      expect(emerging.customers).toBeGreaterThan(15);
      expect(emerging.pValue).toBeLessThan(0.01);
      expect(emerging.description).toMatch(/^(high|low) /);
    } finally {
      customer.clock.at = before;
    }
  });
});

/** Somebody new who orders hundreds of units at every visit. */
function wholesaler(i: number): Record<string, unknown>[] {
  return [2, 3, 4, 5].flatMap((hour) => {
    const at = `2026-03-03T0${hour}:00:00Z`;
    const customerRef = `bulk:${i}`;
    const lines = [{ productId: 'p9', quantity: 400, unitPrice: '99.00' }];
    return [
      anEventInput({ customerRef, at, properties: { durationSeconds: 2 } }),
      anEventInput({
        ...{ customerRef, at, type: 'order' },
        properties: { orderId: `b${i}-${hour}`, currency: 'EUR', lines },
      }),
    ];
  });
}

describe('another tenant', () => {
  it('sees none of the segments, by no way', async () => {
    const { data } = await customer.askAs(me, '{ segments{ id } }');
    const [{ id }] = data?.['segments'] as [{ id: string }];
    const own = (await customer.askAs(me, 'query($id:ID!){ segment(id:$id){ id } }', { id })).data;
    expect(own).toEqual({ segment: { id } });
    const query = `query($id:ID!,$r:[_Any!]!){ segments{ id } segmentDiscovery{ state } segment(id:$id){ id } _entities(representations:$r){ ... on Segment { id name } } }`;
    const answer = await customer.askAs(stranger, query, { id, r: [{ __typename: 'Segment', id }] });
    expect(answer.data).toEqual({ segments: [], segmentDiscovery: null, segment: null, _entities: [null] });
    const seed = await create({ name: 'x', kind: 'LOOKALIKE', size: 5, seedSegmentId: id }, stranger);
    expect(seed.userErrors[0].code).toBe('SEGMENT_NOT_FOUND');
  });

  it('with no customers is told that there are too few', async () => {
    const { data } = await customer.askAs(stranger, DISCOVER);
    expect(data?.['discoverSegments']).toMatchObject({
      segments: [],
      discovery: { state: 'FAILED', failure: { code: 'DATA_INSUFFICIENT' } },
    });
  });

  it('without the scope gets nothing', async () => {
    const reader = anIdentity('demo', ['customer:read', 'segment:read']);
    expect((await customer.askAs(reader, DISCOVER)).errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    const { errors } = await customer.ask('{ segments{ id } }');
    expect(errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  });
});
