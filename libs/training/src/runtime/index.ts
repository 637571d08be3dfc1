export { openMatrixProduct, type RuntimeProduct } from './matrix-product.js';
export { verifyOnnx } from './verify-onnx.js';
