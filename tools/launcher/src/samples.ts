import { setTimeout as sleep } from 'node:timers/promises';
import type { GraphClient } from './graph-client.js';

const POLL_MS = 250;
/** Longest wait for freshly trained models to be served. */
const PATIENCE_MS = 15_000;

export interface Sample {
  title: string;
  /** a role whose token may ask it */
  role: 'web' | 'marketer';
  query: string;
}

/** Customers and products that are really there. */
export interface Subjects {
  customer: string;
  leads: string[];
  products: string[];
}

/** @returns null while the store is empty */
export async function findSubjects(client: GraphClient): Promise<Subjects | null> {
  const { customers, products } = await client.ask<{
    customers: { nodes: { id: string; events: { nodes: { type: string }[] } }[] };
    products: { nodes: { id: string }[] };
  }>(`{
    customers(first: 100) { nodes { id events(first: 50) { nodes { type } } } }
    products(first: 3) { nodes { id } }
  }`);
  const types = (customer: (typeof customers.nodes)[number]) => customer.events.nodes.map(({ type }) => type);
  const buyer = customers.nodes.find((customer) => types(customer).includes('order')) ?? customers.nodes[0];
  if (!buyer || products.nodes.length === 0) return null;
  const leads = customers.nodes.filter((customer) => types(customer).includes('lead_submitted')).slice(0, 3);
  return {
    customer: buyer.id,
    leads: (leads.length > 0 ? leads : [buyer]).map(({ id }) => id),
    products: products.nodes.map(({ id }) => id),
  };
}

/** Three questions about them. */
export function samplesFor({ customer, leads, products }: Subjects): Sample[] {
  const list = (ids: string[]) => JSON.stringify(ids);
  return [
    {
      title: 'What to recommend to a customer',
      role: 'web',
      query: `{ customer(id: ${JSON.stringify(customer)}) { recommendations(slot: "home", first: 5) { decisionId servedBy { rung device } items { rank score reason product { id title listPrice { amount currency } } } } } }`,
    },
    {
      title: 'What price to quote',
      role: 'web',
      query: `{ priceQuotes(productIds: ${list(products)}) { decisionId servedBy { rung } product { id title } listPrice { amount } price { amount currency } validUntil guardrails { rule bound } } }`,
    },
    {
      title: 'How hot a lead is',
      role: 'marketer',
      query: `{ scoreLeads(customerIds: ${list(leads)}) { decisionId servedBy { rung } probability interval { low high } band playbook { action dueWithin } explanation(top: 3) { sentence } } }`,
    },
  ];
}

/**
 * Asks each sample until the models answer it: the worker takes up a new model within a second or two.
 *
 * @returns false when a lower rung still answers one of them at the end of the patience
 * @throws Error with the gateway's own message when a sample does not work at all
 */
export async function modelsAnswer(
  samples: readonly Sample[],
  ask: (sample: Sample) => Promise<unknown>,
): Promise<boolean> {
  const giveUpAt = Date.now() + PATIENCE_MS;
  for (const sample of samples) {
    while (/"rung":"(?!MODEL")/.test(JSON.stringify(await ask(sample)))) {
      if (Date.now() > giveUpAt) return false;
      await sleep(POLL_MS);
    }
  }
  return true;
}

/** A line for a POSIX shell. */
export function asCurl(url: string, token: string, query: string): string {
  const body = JSON.stringify({ query }).replaceAll("'", `'\\''`);
  return `curl -s ${url} -H 'content-type: application/json' -H 'authorization: Bearer ${token}' -d '${body}'`;
}
