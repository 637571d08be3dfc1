export { openMatrixProduct, type RuntimeProduct } from './matrix-product.js';
export { verifyOnnx, verifyOnnxForms } from './verify-onnx.js';
export { type Expected64, verifyOnnx64 } from './verify-onnx-64.js';
