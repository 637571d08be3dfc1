import { customerIdOf } from '@sextant/features';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { askOk } from '../support/graph.js';
import { spearman } from '../support/rank-correlation.js';
import { simulatedFiles } from '../truth/simulated-truth.js';

const { access } = inject('sextant');
const { graphql, tokens, tenant } = access;

const DEMO_DAYS = 120;
const LEAD_HORIZON_MS = 30 * 24 * 60 * 60 * 1000;
const PAGE = 100;

interface LeadTruth {
  customerRef: string;
  at: string;
  probability: number;
  visibleProbability: number;
}
interface CustomerTruth {
  customerRef: string;
  taste: number[];
  activity: number;
  conversion: number;
  /** chance to look at one more product, after each */
  goOn: number;
  leaveDay: number;
  isBot: boolean;
}
interface Truth {
  leads: LeadTruth[];
  customers: CustomerTruth[];
  /** category by product */
  categories: Map<string, number>;
}
interface Scored {
  id: string;
  churnRisk: { probability: number; basis: string; servedBy: { rung: string } };
  purchaseLikelihood: { probability: number; servedBy: { rung: string } };
}

/** What was really behind the demo company, which the launcher simulates up to the day of its start. */
async function demoTruth(): Promise<Truth> {
  const until = new Date().toISOString().slice(0, 10);
  const files = await simulatedFiles({ seed: '42', until });
  const truth: Truth = { leads: [], customers: [], categories: new Map() };
  try {
    for await (const line of files.truth()) {
      if (line['kind'] === 'lead') truth.leads.push(line as unknown as LeadTruth);
      if (line['kind'] === 'customer') truth.customers.push(line as unknown as CustomerTruth);
      if (line['kind'] === 'product') truth.categories.set(String(line['id']), Number(line['category']));
    }
  } finally {
    await files.remove();
  }
  return truth;
}

const idOf = ({ customerRef }: { customerRef: string }): string => customerIdOf(tenant, customerRef);

async function inPages<T>(ids: readonly string[], ask: (page: string[]) => Promise<T[]>): Promise<T[]> {
  const answers: T[] = [];
  for (let from = 0; from < ids.length; from += PAGE)
    answers.push(...(await ask(ids.slice(from, from + PAGE))));
  return answers;
}

/** Probability that one of `ones` stands above one of `others`. */
function auc(ones: readonly number[], others: readonly number[]): number {
  const above = ones.map((one) =>
    others.reduce((sum, other) => sum + Number(one > other) + Number(one === other) / 2, 0),
  );
  return above.reduce((sum, count) => sum + count, 0) / (ones.length * others.length);
}

describe('the sealed truth of the demo company', () => {
  let truth: Truth;
  let known: CustomerTruth[];
  let scored: Map<string, Scored>;
  beforeAll(async () => {
    truth = await demoTruth();
    const sample = truth.customers.slice(0, 1_500);
    const answers = await inPages(sample.map(idOf), async (ids) => {
      const { customersByIds } = await askOk<{ customersByIds: (Scored | null)[] }>(
        graphql,
        tokens.operator,
        `query ($ids: [ID!]!) { customersByIds(ids: $ids) { id
          churnRisk(budgetMs: 4000) { probability basis servedBy { rung } }
          purchaseLikelihood(budgetMs: 4000) { probability servedBy { rung } } } }`,
        { ids },
      );
      return customersByIds.filter((customer) => customer !== null);
    });
    scored = new Map(answers.map((customer) => [customer.id, customer]));
    known = sample.filter((customer) => scored.has(idOf(customer)));
  });

  it('ranks leads that no model has seen as their true chances do', async () => {
    const newest = new Map(truth.leads.map((lead) => [lead.customerRef, lead]));
    const last = Math.max(...truth.leads.map(({ at }) => Date.parse(at)));
    const unseen = [...newest.values()].filter(({ at }) => Date.parse(at) > last - LEAD_HORIZON_MS);
    const scores = await inPages(unseen.map(idOf), async (ids) => {
      const { scoreLeads } = await askOk<{
        scoreLeads: { probability: number; servedBy: { rung: string } }[];
      }>(
        graphql,
        tokens.marketer,
        'query ($ids: [ID!]!) { scoreLeads(customerIds: $ids, budgetMs: 4000) { probability servedBy { rung } } }',
        { ids },
      );
      return scoreLeads;
    });
    expect(new Set(scores.map(({ servedBy }) => servedBy.rung))).toEqual(new Set(['MODEL']));
    const chances = unseen.map(({ probability }) => probability);
    const reached = spearman(
      scores.map(({ probability }) => probability),
      chances,
    );
    const ceiling = spearman(
      unseen.map(({ visibleProbability }) => visibleProbability),
      chances,
    );
    console.info(
      `${unseen.length} new leads: rank correlation ${reached.toFixed(3)}, at best ${ceiling.toFixed(3)}`,
    );
    expect(unseen.length).toBeGreaterThan(100);
    expect(reached).toBeGreaterThanOrEqual(0.6);
  });

  it('ranks customers by how often they really order', () => {
    const weekly = known.map(({ leaveDay, isBot, activity, conversion, goOn }) =>
      leaveDay < DEMO_DAYS || isBot ? 0 : (activity * conversion) / (1 - goOn),
    );
    const scores = known.map(
      (customer) => scored.get(idOf(customer))?.purchaseLikelihood.probability ?? Number.NaN,
    );
    const reached = spearman(scores, weekly);
    console.info(`${known.length} customers: rank correlation of purchase likelihood ${reached.toFixed(3)}`);
    expect(known.length).toBeGreaterThan(1_000);
    expect(
      [...scored.values()].every((customer) => customer.purchaseLikelihood.servedBy.rung === 'MODEL'),
    ).toBe(true);
    expect(reached).toBeGreaterThanOrEqual(0.6);
  });

  it('tells customers who have really left from those who stay', () => {
    const active = known.filter((customer) => scored.get(idOf(customer))?.churnRisk.basis === 'BEHAVIOUR');
    const risks = (isGone: boolean) =>
      active
        .filter(({ leaveDay }) => leaveDay < DEMO_DAYS === isGone)
        .map((customer) => scored.get(idOf(customer))?.churnRisk.probability ?? Number.NaN);
    const [gone, staying] = [risks(true), risks(false)];
    const reached = auc(gone, staying);
    console.info(`${gone.length} have left, ${staying.length} stay: AUC of churn risk ${reached.toFixed(3)}`);
    expect(gone.length).toBeGreaterThan(30);
    expect(reached).toBeGreaterThanOrEqual(0.8);
  });

  it('recommends what customers really care for, more than what is popular does', async () => {
    const askers = known.filter(({ isBot, activity }) => !isBot && activity > 0).slice(0, 300);
    const slates = await inPages(askers.map(idOf), async (ids) => {
      const { customersByIds } = await askOk<{
        customersByIds: {
          recommendations: { servedBy: { rung: string }; items: { product: { id: string } }[] };
        }[];
      }>(
        graphql,
        tokens.operator,
        'query ($ids: [ID!]!) { customersByIds(ids: $ids) { recommendations(slot: "home", first: 10, budgetMs: 4000) { servedBy { rung } items { product { id } } } } }',
        { ids },
      );
      return customersByIds.map(({ recommendations }) => recommendations);
    });
    expect(new Set(slates.map(({ servedBy }) => servedBy.rung))).toEqual(new Set(['MODEL']));
    const { sessionRecommendations: popular } = await askOk<{
      sessionRecommendations: { items: { product: { id: string } }[] };
    }>(
      graphql,
      tokens.web,
      '{ sessionRecommendations(session: { anonymousRef: "nobody", viewed: [] }, slot: "home", first: 10, budgetMs: 4000) { items { product { id } } } }',
    );
    const careFor = ({ taste }: CustomerTruth, items: { product: { id: string } }[]): number =>
      items.reduce((sum, { product }) => sum + (taste[truth.categories.get(product.id) ?? -1] ?? 0), 0) /
      items.length;
    const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    const reached = mean(askers.map((customer, i) => careFor(customer, slates[i]?.items ?? [])));
    const byPopularity = mean(askers.map((customer) => careFor(customer, popular.items)));
    console.info(
      `true interest in what is shown: ${reached.toFixed(3)}, of what is popular ${byPopularity.toFixed(3)}`,
    );
    expect(reached).toBeGreaterThan(1.5 * byPopularity);
  });
});
