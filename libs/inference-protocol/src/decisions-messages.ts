/**
 * The messages of `sextant/inference/v1/decisions.proto` as a caller writes and reads them; the comments there give units.
 * Fields with `?` may be left out of a request; a server sees them filled in ({@link Decoded}).
 */
export type Decoded<T> = T extends Uint8Array
  ? T
  : T extends readonly (infer Item)[]
    ? Decoded<Item>[]
    : T extends object
      ? { [K in keyof T]-?: Decoded<T[K]> }
      : T;

export interface ServedBy {
  model: string;
  version: string;
  /** CPU or GPU */
  device: string;
  queueMs: number;
  computeMs: number;
  /** rows in the batch that carried these rows */
  batchSize: number;
  /** RFC 3339 */
  trainedAt: string;
}

export interface NumericColumn {
  name: string;
  /** float64 little-endian, NaN = missing */
  values: Buffer;
}
export interface CategoricalColumn {
  name: string;
  dictionary: string[];
  /** int32 little-endian index into dictionary, -1 = missing */
  codes: Buffer;
}
/** Named columns of one table, made by `toFeatureTable`. */
export interface FeatureTable {
  rows: number;
  numeric: NumericColumn[];
  categorical: CategoricalColumn[];
}

export interface RecommendRow {
  /** item ids, oldest first; unknown items are ignored */
  history: string[];
  exclude?: string[];
  /** length of the slate, 1..100 */
  first: number;
  /** how its scores are to be summed, as {@link Slate} names it; whichever way is faster when left out */
  sums?: number;
}
export interface RecommendRequest {
  model: string;
  /** the live version when left out */
  version?: string;
  rows: RecommendRow[];
  /** largest number of history items named as reasons of one recommended item */
  reasonsPerItem?: number;
}
export interface ItemReason {
  becauseOf: string;
  contribution: number;
}
export interface RankedItem {
  item: string;
  score: number;
  reasons: ItemReason[];
  /** score minus the reasons that are listed */
  residual: number;
}
export interface Slate {
  items: RankedItem[];
  historyUsed: number;
  /** how its scores were summed: 1 along the rows of the history's items, 2 by the model's product */
  sums: number;
}
export interface RecommendResponse {
  servedBy: ServedBy;
  slates: Slate[];
}

export type PriceRounding = 'none' | 'x.99' | 'x.95' | 'x.90' | 'whole';
/** All prices in integer minor units of the product's currency. */
export interface QuoteRow {
  product: string;
  listPriceMinor: number;
  costMinor: number;
  floorMinor: number;
  ceilingMinor: number;
  /** distance of two admissible prices, at least 1 */
  stepMinor: number;
  rounding: PriceRounding;
  /** units the customer asks for; the unit price does not depend on it */
  quantity?: number;
  /** units on hand; left out or null: unknown or unlimited, 0: sold out */
  stock?: number | null;
  /** ISO 4217; says how many minor digits there are, two when left out */
  currency?: string;
}
export interface QuotePricesRequest {
  model: string;
  version?: string;
  rows: QuoteRow[];
  /** context columns of the demand model, one row a quote, without product and price */
  context?: FeatureTable | null;
  /** attribute each quote's demand to its columns */
  explain?: boolean;
}
export interface GuardrailOutcome {
  rule: string;
  bound: boolean;
  beforeMinor: number;
  afterMinor: number;
}
export interface Quote {
  priceMinor: number;
  expectedUnits: number;
  expectedUnitsLow: number;
  expectedUnitsHigh: number;
  expectedMarginMinor: number;
  expectedMarginMinorLow: number;
  expectedMarginMinorHigh: number;
  intervalLevel: number;
  guardrails: GuardrailOutcome[];
  attribution: Attribution | null;
}
export interface QuotePricesResponse {
  servedBy: ServedBy;
  quotes: Quote[];
  /** why nothing is attributed although that was asked for, an error code; empty: nothing was refused */
  explanationRefused: string;
}

export interface PredictDemandRequest {
  model: string;
  version?: string;
  /** one row a (product, price, context), with the model's product and price (major units) columns */
  rows: FeatureTable | null;
}
/** Columns of float64, one value a row; read them with `readFloat64`. */
export interface PredictDemandResponse {
  servedBy: ServedBy;
  medianUnits: Buffer;
  expectedUnits: Buffer;
  lowUnits: Buffer;
  highUnits: Buffer;
  intervalLevel: number;
}

export interface ScoreLeadsRequest {
  model: string;
  version?: string;
  rows: FeatureTable | null;
  explain?: boolean;
  /** largest contributions wanted of each score, the others are in the residual; all when left out or 0 */
  topContributions?: number;
}
export interface LeadScore {
  /** calibrated, in [0, 1] */
  probability: number;
  low: number;
  high: number;
  intervalLevel: number;
  /** COLD, WARM, HOT of a lead; LOW, MEDIUM, HIGH of churn and purchase */
  band: string;
  percentile: number;
  /** null unless asked for; log-odds units */
  attribution: Attribution | null;
}
export interface ScoreLeadsResponse {
  servedBy: ServedBy;
  scores: LeadScore[];
  /** what the model looks ahead */
  horizonDays: number;
  /** why nothing is attributed although that was asked for, an error code; empty: nothing was refused */
  explanationRefused: string;
}

export interface ForecastValueRequest {
  model: string;
  version?: string;
  /**
   * float64 [rows, 6]: purchase days after the first; days from the first purchase to the last, and to now; mean value of a purchase
   * day after the first (NaN without one); mean value of all purchase days; days ahead
   */
  customers: Buffer;
}
/** Columns of float64, one value a row; read them with `readFloat64`. */
export interface ForecastValueResponse {
  servedBy: ServedBy;
  probabilityAlive: Buffer;
  expectedPurchases: Buffer;
  /** discounted, in major units of the currency */
  value: Buffer;
  valueLow: Buffer;
  valueHigh: Buffer;
  intervalLevel: number;
  /** ISO 4217 */
  currency: string;
}

export interface ChooseActionsRequest {
  model: string;
  version?: string;
  rows: FeatureTable | null;
}
export interface ActionOffer {
  id: string;
  /** empty: none */
  channel: string;
  /** of doing it once, major units */
  cost: number;
}
export interface RefusedAction {
  id: string;
  channel: string;
  because: string;
}
/** Columns of float64; read them with `readFloat64`. */
export interface ChooseActionsResponse {
  servedBy: ServedBy;
  actions: ActionOffer[];
  /** actions that no model ranks better than chance */
  refused: RefusedAction[];
  /** probability of the outcome without any action, one a row */
  without: Buffer;
  /** row-major [rows, actions] */
  uplift: Buffer;
  upliftLow: Buffer;
  upliftHigh: Buffer;
  intervalLevel: number;
  goal: string;
  horizonDays: number;
  /** mean value of an outcome, major units */
  outcomeValue: number;
  /** ISO 4217; empty where outcomes have no value */
  currency: string;
  sureFrom: number;
}

export interface FeatureContribution {
  feature: string;
  contribution: number;
  /** which of number and text is set, when one is */
  value?: 'number' | 'text';
  number?: number;
  text?: string;
}
/** base_value + sum(contributions) + residual = the explained value. */
export interface Attribution {
  method: string;
  baseValue: number;
  contributions: FeatureContribution[];
  residual: number;
}
