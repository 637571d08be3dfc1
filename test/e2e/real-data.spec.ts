import { randomUUID } from 'node:crypto';
import { customerIdOf } from '@sextant/features';
import { auc, ndcgAtK } from '@sextant/learning';
import { describe, expect, inject, it } from 'vitest';
import { askOk, trainThroughGraph, until } from '../support/graph.js';
import {
  folderOf,
  importData,
  isTestRow,
  mappingOf,
  PUBLIC_DATA,
  readTable,
  type Table,
} from '../support/public-data.js';
import { issueToken } from '../support/running-sextant.js';

const { access, dataDir } = inject('sextant');
const { graphql } = access;
const SLOW_MS = 600_000;

if (!PUBLIC_DATA)
  console.log('skipped: real-data tests need SEXTANT_DATA, a folder with the public data sets');

async function freshTenant(name: string): Promise<{ tenant: string; token: string }> {
  const tenant = `${name}-${randomUUID().slice(0, 8)}`;
  return { tenant, token: await issueToken(dataDir, { tenant, role: 'operator' }) };
}

/** What is measured has to be what serves: waits until the worker answers with the version that was trained. */
async function untilServed(
  token: string,
  versionId: string,
  query: string,
  found: (data: never) => string | undefined,
): Promise<void> {
  await until(
    `${versionId} to serve`,
    30_000,
    async () => found((await askOk(graphql, token, query)) as never) === versionId,
  );
}

describe.skipIf(!PUBLIC_DATA)('MovieLens 100K, last 20 % of each user by time', () => {
  it(
    'reaches NDCG@10 ≥ .185 through the gateway',
    async () => {
      const { tenant, token } = await freshTenant('movielens');
      const { train, relevant } = splitByTime(await readTable('movielens_100k/ratings.csv.gz'));
      const data = await folderOf({
        'ratings.csv': train,
        'items.csv': await readTable('movielens_100k/items.csv.gz'),
      });
      await importData({ mapping: await mappingOf('movielens_100k'), data, tenant, dataDir });
      const version = await trainThroughGraph(graphql, token, 'recommend');
      const session =
        '{ sessionRecommendations(session: { anonymousRef: "probe", viewed: ["50"] }, slot: "test", budgetMs: 5000) { model { id } } }';
      await untilServed(
        token,
        version,
        session,
        (d: { sessionRecommendations: { model: { id: string } } }) => d.sessionRecommendations.model.id,
      );

      const users = [...relevant.keys()];
      const scores: number[] = [];
      for (let start = 0; start < users.length; start += 50) {
        const slice = users.slice(start, start + 50);
        const fields = slice.map(
          (user, i) =>
            `u${i}: customer(id: "${customerIdOf(tenant, `movielens:${user}`)}") { recommendations(slot: "test", first: 10, budgetMs: 5000) { model { id } servedBy { rung } items { product { id } } } }`,
        );
        const answer = await askOk<
          Record<
            string,
            {
              recommendations: {
                model: { id: string };
                servedBy: { rung: string };
                items: { product: { id: string } }[];
              };
            }
          >
        >(graphql, token, `{ ${fields.join('\n')} }`);
        slice.forEach((user, i) => {
          const set = answer[`u${i}`]?.recommendations;
          expect(set).toMatchObject({ model: { id: version }, servedBy: { rung: 'MODEL' } });
          scores.push(
            ndcgOf(set?.items.map(({ product }) => product.id) ?? [], relevant.get(user) ?? new Set()),
          );
        });
      }
      const ndcg = scores.reduce((sum, score) => sum + score, 0) / scores.length;
      console.log(`movielens_100k: NDCG@10 ${ndcg.toFixed(4)} over ${scores.length} users (bar .185)`);
      expect(scores).toHaveLength(908);
      expect(ndcg).toBeGreaterThanOrEqual(0.185);
    },
    SLOW_MS,
  );
});

describe.skipIf(!PUBLIC_DATA)('UCI bank marketing without duration, published test rows', () => {
  it(
    'reaches AUC ≥ .795 through the gateway',
    async () => {
      const { tenant, token } = await freshTenant('bank');
      const { header, rows } = await readTable('bank_marketing/bank_full.csv.gz');
      const rowsWhere = (test: boolean) => rows.filter((_, i) => isTestRow(i) === test);
      const train = await folderOf({ 'bank_full.csv': { header, rows: rowsWhere(false) } });
      await importData({ mapping: await mappingOf('bank_marketing'), data: train, tenant, dataDir });
      const version = await trainThroughGraph(graphql, token, 'lead');

      const testRows = rowsWhere(true);
      const labels = testRows.map((row) => Number(row.endsWith('yes')));
      const unlabelled = await folderOf({
        'bank_full.csv': { header, rows: testRows.map((row) => row.replace(/(yes|no)\s*$/, '')) },
      });
      const mapping = await mappingOf('bank_marketing', (text) =>
        text.replaceAll("'bank:", "'held-out:").replaceAll("'bank_marketing/", "'held-out/"),
      );
      await importData({ mapping, data: unlabelled, tenant, dataDir });
      const ids = testRows.map((_, i) => customerIdOf(tenant, `held-out:${i + 1}`));
      await untilServed(
        token,
        version,
        `{ scoreLeads(customerIds: ["${ids[0]}"], budgetMs: 5000) { model { id } } }`,
        (d: { scoreLeads: { model: { id: string } }[] }) => d.scoreLeads[0]?.model.id,
      );

      const probabilities: number[] = [];
      for (let start = 0; start < ids.length; start += 500) {
        const { scoreLeads } = await askOk<{ scoreLeads: { probability: number; model: { id: string } }[] }>(
          graphql,
          token,
          'query ($ids: [ID!]!) { scoreLeads(customerIds: $ids, budgetMs: 5000) { probability model { id } } }',
          { ids: ids.slice(start, start + 500) },
        );
        for (const score of scoreLeads) {
          expect(score.model.id).toBe(version);
          probabilities.push(score.probability);
        }
      }
      const area = auc(labels, probabilities);
      console.log(`bank_marketing: AUC ${area.toFixed(4)} over ${labels.length} rows (bar .795)`);
      expect(area).toBeGreaterThanOrEqual(0.795);
    },
    SLOW_MS,
  );
});

describe.skipIf(!PUBLIC_DATA)("Dominick's orange juice, published test rows", () => {
  it(
    'reaches an RMSE of log sales ≤ .70 through the gateway',
    async () => {
      const { tenant, token } = await freshTenant('juice');
      const { header, rows } = await readTable('oj_dominicks/oj.csv.gz');
      const data = await folderOf({ 'oj.csv': { header, rows: rows.filter((_, i) => !isTestRow(i)) } });
      await importData({ mapping: await mappingOf('oj_dominicks'), data, tenant, dataDir });
      const version = await trainThroughGraph(graphql, token, 'price');
      await untilServed(
        token,
        version,
        '{ priceQuotes(productIds: ["tropicana"], budgetMs: 5000) { model { id } } }',
        (d: { priceQuotes: { model: { id: string } }[] }) => d.priceQuotes[0]?.model.id,
      );

      const test = rows.filter((_, i) => isTestRow(i)).map((row) => row.split(','));
      const cases = new Map<string, { brand: string; feature: number; prices: Set<string> }>();
      for (const [, price = '', brand = '', feature] of test) {
        const key = `${brand}/${feature}`;
        const entry = cases.get(key) ?? { brand, feature: Number(feature), prices: new Set() };
        entry.prices.add(price);
        cases.set(key, entry);
      }
      const medians = new Map<string, number>();
      for (const [key, { brand, feature, prices }] of cases) {
        for (let start = 0; start < prices.size; start += 100) {
          const asked = [...prices].slice(start, start + 100);
          const { product } = await askOk<{ product: { demandCurve: { medianUnits: number }[] } }>(
            graphql,
            token,
            'query ($id: ID!, $p: [String!]!, $c: JSON) { product(id: $id) { demandCurve(prices: $p, context: $c, budgetMs: 5000) { medianUnits } } }',
            { id: brand, p: asked, c: { feature } },
          );
          asked.forEach((price, i) =>
            medians.set(`${key}/${price}`, product.demandCurve[i]?.medianUnits ?? NaN),
          );
        }
      }
      const squared = test.map(
        ([sales, price, brand, feature]) =>
          (Math.log(Number(sales)) - Math.log(medians.get(`${brand}/${feature}/${price}`) ?? NaN)) ** 2,
      );
      const rmse = Math.sqrt(squared.reduce((sum, value) => sum + value, 0) / squared.length);
      console.log(`oj_dominicks: RMSE of log sales ${rmse.toFixed(4)} over ${squared.length} rows (bar .70)`);
      expect(rmse).toBeLessThanOrEqual(0.7);
    },
    SLOW_MS,
  );
});

/** The last 20 % of each user's ratings by (time, item) are for testing; relevant are those of 4 and 5. */
function splitByTime({ header, rows }: Table): { train: Table; relevant: Map<string, Set<string>> } {
  const byUser = new Map<string, { line: string; item: string; rating: number; at: number }[]>();
  for (const line of rows) {
    const [user = '', item = '', rating, at] = line.split(',');
    const list = byUser.get(user) ?? [];
    list.push({ line, item, rating: Number(rating), at: Number(at) });
    byUser.set(user, list);
  }
  const train: string[] = [];
  const relevant = new Map<string, Set<string>>();
  for (const [user, list] of byUser) {
    list.sort((a, b) => a.at - b.at || Number(a.item) - Number(b.item));
    const cut = Math.floor(list.length * 0.8);
    train.push(...list.slice(0, cut).map(({ line }) => line));
    const liked = list.slice(cut).filter(({ rating }) => rating >= 4);
    if (liked.length > 0) relevant.set(user, new Set(liked.map(({ item }) => item)));
  }
  return { train: { header, rows: train }, relevant };
}

function ndcgOf(slate: string[], relevant: ReadonlySet<string>): number {
  const numbers = new Map([...new Set([...slate, ...relevant])].map((item, i) => [item, i]));
  const numberOf = (item: string): number => numbers.get(item) ?? -1;
  return ndcgAtK(slate.map(numberOf), new Set([...relevant].map(numberOf)), 10);
}
