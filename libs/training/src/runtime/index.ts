export { openMatrixProduct, type RuntimeProduct } from './matrix-product.js';
export { verifyOnnx, verifyOnnxForms } from './verify-onnx.js';
