/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> =
  T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
// Written by npm run codegen from the .graphql files of the operations.

/** An operation with the types of what it answers and asks for. Send `id` where it is registered, else `text`. */
export interface TypedDocument<Data, Variables> {
  readonly id: string;
  readonly name: string;
  readonly text: string;
  /** Only for the compiler. */
  readonly types?: { readonly data: Data; readonly variables: Variables };
}

/** One event; its fields are described at `EventInput` in the schema. */
export interface EventInput {
  readonly id: string;
  readonly type: string;
  readonly at: string;
  readonly customerRef?: string | null;
  readonly properties?: Readonly<Record<string, unknown>> | null;
  readonly source?: string | null;
}

/** The lowest probability of each band is chosen with the model: the average for the middle band, three times its odds for the highest. */
export type Band =
  /** Of a lead, as are WARM and HOT. */
  | 'COLD'
  /** From the average rate on. */
  | 'WARM'
  /** From three times the odds of the average rate on. */
  | 'HOT'
  /** Of a risk or a likelihood, as are MEDIUM and HIGH. */
  | 'LOW'
  /** From the average rate on. */
  | 'MEDIUM'
  /** From three times the odds of the average rate on. */
  | 'HIGH';

/** Where a customer stands, from what they did and how long ago they last did anything; computed when it is asked for. */
export type LifecycleStage =
  /** Visited only: no order, no interaction, no lead form. */
  | 'ANONYMOUS'
  /** Submitted a lead form, without an order or interaction so far. */
  | 'LEAD'
  /** First order or interaction at most 30 days ago, and active in the last 30 days. */
  | 'NEW'
  /** Active in the last 30 days. */
  | 'ACTIVE'
  /** Last active 30 to 90 days ago. */
  | 'AT_RISK'
  /** Last active 90 to 180 days ago. */
  | 'DORMANT'
  /** Last active more than 180 days ago. */
  | 'CHURNED';

/** Something that came of a decision. */
export type OutcomeInput = {
  /** Of the answer that it came of. */
  readonly decisionId: string;
  /**
   * What it was worth, within ±1,000,000,000. Of a score 1 where what was foretold came true (won, gone, bought) and 0 where its horizon
   * passed without; of a slate, a quote or an action whatever it is to be compared by, e.g. 1 for an order, or a margin. Several
   * outcomes of one decision add up.
   */
  readonly reward: number;
  /** When it happened: not before the decision and not in the future, but for a minute between clocks. */
  readonly at: string;
  /** 1 to 128 characters, unique in the tenant. The same key with the same content is the same outcome. */
  readonly idempotencyKey: string;
};

/** Why a quote does not bind. */
export type QuoteRefusal =
  /** The token is none of ours, was changed, or belongs to another tenant. */
  | 'FORGED'
  /** It was genuine, and `validUntil` is over: ask for a new quote. */
  | 'EXPIRED';

/** The degradation ladder. An outage of inference lowers the rung; it is never a GraphQL error. */
export type Rung =
  /** The live model answered. */
  | 'MODEL'
  /** The last good answer of the same question, at most 24 hours old. */
  | 'CACHE'
  /** A simple rule; see the model's id, e.g. `heuristic.popularity@1`. */
  | 'HEURISTIC';

/** What the features of a score describe. */
export type ScoreBasis =
  /** The newest lead form, with the behaviour before it. */
  | 'FORM'
  /** The behaviour until now. Of a lead score: there was no form, so read it as the probability if one came now. */
  | 'BEHAVIOUR'
  /**
   * The behaviour until now, of somebody unlike those whom the model learnt from, so take it for a guess. Of a churn risk: they
   * never ordered or interacted, or made no visit for 90 days and so have left already.
   */
  | 'UNFAMILIAR';

/** A visit without a known customer. */
export type SessionInput = {
  /** Of the visitor's session, 1 to 128 characters; no name, no address. */
  readonly anonymousRef: string;
  /** Product ids, oldest first; at most 500. */
  readonly viewed: ReadonlyArray<string>;
};

/** How far a version has come. */
export type Stage =
  /** Published; it answers nobody. */
  | 'CANDIDATE'
  /** It answers a share of the calls again, unseen. */
  | 'SHADOW'
  /** It answers a share of the calls. */
  | 'CANARY'
  /** It answers the calls. */
  | 'LIVE'
  /** It answers nobody any more. */
  | 'RETIRED';

export type CheckoutQueryVariables = Exact<{
  token: string;
}>;

export type CheckoutQuery = {
  readonly verifyQuote: {
    readonly refusal: QuoteRefusal | null;
    readonly quote: {
      readonly quantity: number;
      readonly validUntil: string;
      readonly decisionId: string;
      readonly product: { readonly id: string };
      readonly price: { readonly amount: string; readonly currency: string };
    } | null;
  } | null;
};

export type DeskQueryVariables = Exact<{
  after?: string | null | undefined;
}>;

export type DeskQuery = {
  readonly customers: {
    readonly endCursor: string | null;
    readonly hasNextPage: boolean;
    readonly nodes: ReadonlyArray<{
      readonly id: string;
      readonly lifecycle: LifecycleStage;
      readonly leadScore: { readonly probability: number; readonly band: Band } | null;
      readonly recommendations: {
        readonly items: ReadonlyArray<{
          readonly product: {
            readonly id: string;
            readonly price: { readonly price: { readonly amount: string; readonly currency: string } } | null;
          } | null;
        }>;
      } | null;
    }>;
  } | null;
};

export type HomeQueryVariables = Exact<{
  id: string;
}>;

export type HomeQuery = {
  readonly customer: {
    readonly id: string;
    readonly recommendations: {
      readonly decisionId: string;
      readonly servedBy: { readonly rung: Rung; readonly fallbackReason: string | null };
      readonly items: ReadonlyArray<{
        readonly rank: number;
        readonly reason: string;
        readonly product: {
          readonly id: string;
          readonly title: string | null;
          readonly listPrice: { readonly amount: string; readonly currency: string } | null;
        } | null;
      }>;
    } | null;
  } | null;
};

export type SlateFragment = {
  readonly decisionId: string;
  readonly servedBy: { readonly rung: Rung; readonly fallbackReason: string | null };
  readonly items: ReadonlyArray<{
    readonly rank: number;
    readonly reason: string;
    readonly product: {
      readonly id: string;
      readonly title: string | null;
      readonly listPrice: { readonly amount: string; readonly currency: string } | null;
    } | null;
  }>;
};

export type LeadsQueryVariables = Exact<{
  ids: ReadonlyArray<string> | string;
}>;

export type LeadsQuery = {
  readonly scoreLeads: ReadonlyArray<{
    readonly decisionId: string;
    readonly probability: number;
    readonly band: Band;
    readonly percentile: number;
    readonly servedBy: { readonly rung: Rung };
    readonly interval: { readonly low: number; readonly high: number; readonly level: number };
    readonly playbook: {
      readonly action: string;
      readonly owner: string;
      readonly dueWithin: string | null;
    } | null;
    readonly explanation: {
      readonly sentence: string;
      readonly baseValue: number;
      readonly residual: number;
      readonly contributions: ReadonlyArray<{
        readonly feature: string;
        readonly value: unknown;
        readonly contribution: number;
      }>;
    } | null;
  } | null> | null;
};

export type LiveModelQueryVariables = Exact<{
  task: string;
}>;

export type LiveModelQuery = {
  readonly model: {
    readonly task: string;
    readonly live: {
      readonly id: string;
      readonly stage: Stage;
      readonly trainedAt: string | null;
      readonly card: {
        readonly purpose: string;
        readonly limitations: ReadonlyArray<string>;
        readonly warnings: ReadonlyArray<string>;
      } | null;
    } | null;
  } | null;
};

export type OutcomesMutationVariables = Exact<{
  outcomes: ReadonlyArray<OutcomeInput> | OutcomeInput;
}>;

export type OutcomesMutation = {
  readonly recordOutcomes: {
    readonly recorded: number;
    readonly duplicates: number;
    readonly unknown: ReadonlyArray<string>;
    readonly rejected: ReadonlyArray<{
      readonly idempotencyKey: string;
      readonly code: string;
      readonly message: string;
    }>;
  };
};

export type PricesQueryVariables = Exact<{
  ids: ReadonlyArray<string> | string;
}>;

export type PricesQuery = {
  readonly priceQuotes: ReadonlyArray<{
    readonly decisionId: string;
    readonly validUntil: string;
    readonly token: string;
    readonly personalDataUsed: boolean;
    readonly disclosure: string | null;
    readonly servedBy: { readonly rung: Rung };
    readonly product: {
      readonly id: string;
      readonly lowestPrice30d: { readonly amount: string } | null;
    } | null;
    readonly price: { readonly amount: string; readonly currency: string };
    readonly listPrice: { readonly amount: string; readonly currency: string };
    readonly guardrails: ReadonlyArray<{
      readonly rule: string;
      readonly bound: boolean;
      readonly before: string;
      readonly after: string;
    }>;
  } | null> | null;
};

export type RetentionQueryVariables = Exact<{
  id: string;
}>;

export type RetentionQuery = {
  readonly customer: {
    readonly churnRisk: {
      readonly probability: number;
      readonly band: Band;
      readonly basis: ScoreBasis;
      readonly playbook: {
        readonly action: string;
        readonly owner: string;
        readonly dueWithin: string | null;
      } | null;
      readonly explanation: { readonly sentence: string } | null;
    } | null;
    readonly purchaseLikelihood: {
      readonly probability: number;
      readonly band: Band;
      readonly interval: { readonly low: number; readonly high: number; readonly level: number };
    } | null;
  } | null;
};

export type ShelfQueryVariables = Exact<{
  category: string;
  after?: string | null | undefined;
}>;

export type ShelfQuery = {
  readonly products: {
    readonly endCursor: string | null;
    readonly hasNextPage: boolean;
    readonly nodes: ReadonlyArray<{
      readonly id: string;
      readonly title: string | null;
      readonly listPrice: { readonly amount: string; readonly currency: string } | null;
      readonly lowestPrice30d: { readonly amount: string; readonly currency: string } | null;
    }>;
  } | null;
};

export type SimilarQueryVariables = Exact<{
  id: string;
}>;

export type SimilarQuery = {
  readonly product: {
    readonly id: string;
    readonly similar: {
      readonly decisionId: string;
      readonly servedBy: { readonly rung: Rung };
      readonly items: ReadonlyArray<{
        readonly reason: string;
        readonly product: { readonly id: string; readonly title: string | null } | null;
      }>;
    } | null;
  } | null;
};

export type TrackMutationVariables = Exact<{
  events: ReadonlyArray<EventInput | null | undefined> | EventInput;
}>;

export type TrackMutation = {
  readonly ingestEvents: {
    readonly accepted: number;
    readonly duplicates: number;
    readonly rejected: ReadonlyArray<{
      readonly index: number;
      readonly id: string;
      readonly code: string;
      readonly path: string | null;
      readonly message: string;
    }>;
  };
};

export type VisitorQueryVariables = Exact<{
  session: SessionInput;
}>;

export type VisitorQuery = {
  readonly sessionRecommendations: {
    readonly decisionId: string;
    readonly items: ReadonlyArray<{
      readonly rank: number;
      readonly reason: string;
      readonly product: { readonly id: string; readonly title: string | null } | null;
    }>;
  } | null;
};

export type WorthQueryVariables = Exact<{
  id: string;
}>;

export type WorthQuery = {
  readonly customer: {
    readonly lifetimeValue: {
      readonly probabilityAlive: number;
      readonly expectedPurchases: number;
      readonly value: { readonly amount: string; readonly currency: string };
      readonly interval: { readonly low: number; readonly high: number; readonly level: number };
      readonly servedBy: { readonly rung: Rung };
    } | null;
  } | null;
};

export const CheckoutDocument: TypedDocument<CheckoutQuery, CheckoutQueryVariables> = {
  id: 'sha256:169ea3b190c0f24c5cc32a6218657caa80a26bc856e073c622122f7f31df06b1',
  name: 'Checkout',
  text: 'query Checkout($token: String!) {\n  verifyQuote(token: $token) {\n    refusal\n    quote {\n      product {\n        id\n      }\n      price {\n        amount\n        currency\n      }\n      quantity\n      validUntil\n      decisionId\n    }\n  }\n}',
};

export const DeskDocument: TypedDocument<DeskQuery, DeskQueryVariables> = {
  id: 'sha256:1fff5496292cee3b56db2a2b13e2a84f0fbf01692fad9fa5c964d85841ae2a56',
  name: 'Desk',
  text: 'query Desk($after: String) {\n  customers(first: 50, after: $after) {\n    nodes {\n      id\n      lifecycle\n      leadScore {\n        probability\n        band\n      }\n      recommendations(slot: "mail", first: 3) {\n        items {\n          product {\n            id\n            price {\n              price {\n                amount\n                currency\n              }\n            }\n          }\n        }\n      }\n    }\n    endCursor\n    hasNextPage\n  }\n}',
};

export const HomeDocument: TypedDocument<HomeQuery, HomeQueryVariables> = {
  id: 'sha256:a79c56742c88e721860d4065121c7433964134bbb267585dcef75fb3918891a4',
  name: 'Home',
  text: 'query Home($id: ID!) {\n  customer(id: $id) {\n    id\n    recommendations(slot: "home", first: 10, budgetMs: 100) {\n      ...Slate\n    }\n  }\n}\n\nfragment Slate on RecommendationSet {\n  decisionId\n  servedBy {\n    rung\n    fallbackReason\n  }\n  items {\n    rank\n    reason\n    product {\n      id\n      title\n      listPrice {\n        amount\n        currency\n      }\n    }\n  }\n}',
};

export const LeadsDocument: TypedDocument<LeadsQuery, LeadsQueryVariables> = {
  id: 'sha256:a6f8c8cd7f19be0fb33c7a28036326b1783e0fbf8b17db82a56953faec489d79',
  name: 'Leads',
  text: 'query Leads($ids: [ID!]!) {\n  scoreLeads(customerIds: $ids) {\n    decisionId\n    servedBy {\n      rung\n    }\n    probability\n    interval {\n      low\n      high\n      level\n    }\n    band\n    percentile\n    playbook {\n      action\n      owner\n      dueWithin\n    }\n    explanation(top: 3) {\n      sentence\n      baseValue\n      residual\n      contributions {\n        feature\n        value\n        contribution\n      }\n    }\n  }\n}',
};

export const LiveModelDocument: TypedDocument<LiveModelQuery, LiveModelQueryVariables> = {
  id: 'sha256:264d4037431b2c9b82e2c0268084d6e01bf414762a1ffb83840bb50d91d73bf8',
  name: 'LiveModel',
  text: 'query LiveModel($task: ID!) {\n  model(id: $task) {\n    task\n    live {\n      id\n      stage\n      trainedAt\n      card {\n        purpose\n        limitations\n        warnings\n      }\n    }\n  }\n}',
};

export const OutcomesDocument: TypedDocument<OutcomesMutation, OutcomesMutationVariables> = {
  id: 'sha256:43adc1100a9ae42ff355aad4514d0ec4251ac798cad2c4cdb15e0d866414baef',
  name: 'Outcomes',
  text: 'mutation Outcomes($outcomes: [OutcomeInput!]!) {\n  recordOutcomes(outcomes: $outcomes) {\n    recorded\n    duplicates\n    unknown\n    rejected {\n      idempotencyKey\n      code\n      message\n    }\n  }\n}',
};

export const PricesDocument: TypedDocument<PricesQuery, PricesQueryVariables> = {
  id: 'sha256:24c3d02b26b05e4176f8997320837ba85962d3615a78ba32988afb4f76bed7a3',
  name: 'Prices',
  text: 'query Prices($ids: [ID!]!) {\n  priceQuotes(productIds: $ids) {\n    decisionId\n    servedBy {\n      rung\n    }\n    product {\n      id\n      lowestPrice30d {\n        amount\n      }\n    }\n    price {\n      amount\n      currency\n    }\n    listPrice {\n      amount\n      currency\n    }\n    validUntil\n    token\n    personalDataUsed\n    disclosure\n    guardrails {\n      rule\n      bound\n      before\n      after\n    }\n  }\n}',
};

export const RetentionDocument: TypedDocument<RetentionQuery, RetentionQueryVariables> = {
  id: 'sha256:ea98c4cce5ef04b1dc848ac09f57c5cb03b6a973be5f65070981a608d2d4c489',
  name: 'Retention',
  text: 'query Retention($id: ID!) {\n  customer(id: $id) {\n    churnRisk(horizonDays: 30) {\n      probability\n      band\n      basis\n      playbook {\n        action\n        owner\n        dueWithin\n      }\n      explanation(top: 3) {\n        sentence\n      }\n    }\n    purchaseLikelihood(horizonDays: 7) {\n      probability\n      interval {\n        low\n        high\n        level\n      }\n      band\n    }\n  }\n}',
};

export const ShelfDocument: TypedDocument<ShelfQuery, ShelfQueryVariables> = {
  id: 'sha256:beb3e89599638dc1ace21b6f9e75ba08124e34696f1c2b602fc1c8c23e1be97f',
  name: 'Shelf',
  text: 'query Shelf($category: String!, $after: String) {\n  products(first: 50, after: $after, filter: {category: $category}) {\n    nodes {\n      id\n      title\n      listPrice {\n        amount\n        currency\n      }\n      lowestPrice30d {\n        amount\n        currency\n      }\n    }\n    endCursor\n    hasNextPage\n  }\n}',
};

export const SimilarDocument: TypedDocument<SimilarQuery, SimilarQueryVariables> = {
  id: 'sha256:ac3e35ab7b7ed709292e3f70aa7ad8f733f99d259d0d9f5db60ce2c4d192d706',
  name: 'Similar',
  text: 'query Similar($id: ID!) {\n  product(id: $id) {\n    id\n    similar(first: 6) {\n      decisionId\n      servedBy {\n        rung\n      }\n      items {\n        reason\n        product {\n          id\n          title\n        }\n      }\n    }\n  }\n}',
};

export const TrackDocument: TypedDocument<TrackMutation, TrackMutationVariables> = {
  id: 'sha256:9dab13fa7dd5f9ac6e5352343bc5e2bee956b6e19518199b78cd93335ebc5a3d',
  name: 'Track',
  text: 'mutation Track($events: [EventInput]!) {\n  ingestEvents(events: $events) {\n    accepted\n    duplicates\n    rejected {\n      index\n      id\n      code\n      path\n      message\n    }\n  }\n}',
};

export const VisitorDocument: TypedDocument<VisitorQuery, VisitorQueryVariables> = {
  id: 'sha256:814e48a54c491867e49f98d36bdb2c38ba110fbbb15e4f1458a15024898486e9',
  name: 'Visitor',
  text: 'query Visitor($session: SessionInput!) {\n  sessionRecommendations(session: $session, slot: "pdp", first: 6) {\n    decisionId\n    items {\n      rank\n      reason\n      product {\n        id\n        title\n      }\n    }\n  }\n}',
};

export const WorthDocument: TypedDocument<WorthQuery, WorthQueryVariables> = {
  id: 'sha256:80c542b990ddfc520863a42d4826a3f567fa53ec099e67248c3f10e3253d26cb',
  name: 'Worth',
  text: 'query Worth($id: ID!) {\n  customer(id: $id) {\n    lifetimeValue(horizonDays: 365) {\n      value {\n        amount\n        currency\n      }\n      interval {\n        low\n        high\n        level\n      }\n      probabilityAlive\n      expectedPurchases\n      servedBy {\n        rung\n      }\n    }\n  }\n}',
};
