export { type BgNbdParameters, bgNbdProcess, fitBgNbd } from './bg-nbd.js';
export {
  expectedSpend,
  type FittedSpend,
  fitGammaGamma,
  type GammaGammaParameters,
  type SpendBasis,
} from './gamma-gamma.js';
export {
  discountedMonths,
  forecastLifetime,
  type LifetimeForecast,
  type LifetimeModel,
  type ProcessFamily,
  type ProcessParameters,
  purchaseProcess,
} from './lifetime-model.js';
export {
  ALIVE_NODES,
  fitParetoNbd,
  NEGLIGIBLE_EXPONENT,
  type ParetoNbdParameters,
  paretoNbdProcess,
} from './pareto-nbd.js';
export {
  netPurchases,
  type PurchaseDay,
  type PurchaseHistories,
  type PurchaseHistory,
  purchaseHistory,
  toHistories,
} from './purchase-history.js';
export type { FittedProcess, PurchaseProcess } from './purchase-process.js';
export { gaussBeta, gaussLegendre, type Quadrature } from './quadrature.js';
