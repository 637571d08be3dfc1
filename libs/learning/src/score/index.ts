export { type AccountMember, accountScore } from './account-score.js';
export { balancedWeights } from './class-weights.js';
export { nextProducts, type NextProducts, type OfferedProduct, type RankedProduct } from './next-product.js';
export { fitRidge, type LinearModel, type RidgeInput } from './ridge.js';
