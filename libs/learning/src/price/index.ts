export { designEffect, priceSpells, type ScoredRows } from './cluster-errors.js';
export { demandLine, type DemandLine, type PriceResponse } from './demand-line.js';
export { chooseDiscountDepth, type DiscountChoice, type DiscountOffer } from './discount-depth.js';
export { type JointPrices, type JointProduct, optimisePrices, type ParityRule } from './optimise-prices.js';
export { earnings, type PriceObjective } from './price-objective.js';
export { type InstrumentedDemand, type InstrumentedElasticity, twoStageElasticity } from './two-stage.js';
export { type CurvePoint, willingnessToPay, type WillingnessToPay } from './willingness-to-pay.js';
