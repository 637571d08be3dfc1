/** Q1, Q3 and Q4 of the first contract, in their first form. */
export const Q1 = `query Q1($id: ID!) { customer(id: $id) { id recommendations(slot: "home", first: 10, budgetMs: 2000) {
  decisionId servedBy { device rung computeMs batchSize fallbackReason }
  items { rank score propensity reason product { id title listPrice { amount currency } } }
  explanation(top: 3) { sentence contributions { feature contribution } } } } }`;

export const Q3 = `query Q3($ids: [ID!]!, $c: ID) { priceQuotes(productIds: $ids, customerId: $c, region: "US-NY", budgetMs: 2000) {
  decisionId token price { amount currency } listPrice { amount currency } validUntil guardrails { rule bound before after }
  personalDataUsed disclosure servedBy { rung fallbackReason } product { id title lowestPrice30d { amount } } } }`;

export const Q4 = `query Q4($ids: [ID!]!) { scoreLeads(customerIds: $ids, budgetMs: 2000) {
  decisionId probability interval { low high level } band percentile playbook { action owner dueWithin } servedBy { rung fallbackReason }
  explanation(top: 50) { baseValue residual contributions { feature value contribution } } } }`;

export interface ServedBy {
  device: string;
  rung: string;
  fallbackReason: string | null;
}

export interface RecommendationAnswer {
  customer: {
    id: string;
    recommendations: {
      decisionId: string;
      servedBy: ServedBy;
      items: {
        rank: number;
        score: number;
        propensity: number;
        reason: string;
        product: { id: string; title: string; listPrice: { amount: string; currency: string } } | null;
      }[];
      explanation: { sentence: string; contributions: { feature: string; contribution: number }[] } | null;
    } | null;
  } | null;
}

export interface QuoteAnswer {
  priceQuotes: {
    decisionId: string;
    token: string;
    price: { amount: string; currency: string };
    listPrice: { amount: string; currency: string };
    validUntil: string;
    guardrails: { rule: string; bound: boolean }[];
    personalDataUsed: boolean;
    servedBy: ServedBy;
    product: { id: string; title: string; lowestPrice30d: { amount: string } } | null;
  }[];
}

export interface LeadAnswer {
  scoreLeads: {
    decisionId: string;
    probability: number;
    interval: { low: number; high: number; level: number };
    band: string;
    percentile: number;
    servedBy: ServedBy;
    explanation: {
      baseValue: number;
      residual: number;
      contributions: { feature: string; value: unknown; contribution: number }[];
    } | null;
  }[];
}
