export { invertByBlocks } from './blocked-inverse.js';
export { type Matrix, type MatrixProduct, multiply, transpose } from './matrix-product.js';
export { invertPositiveDefinite } from './positive-definite.js';
