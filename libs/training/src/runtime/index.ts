export { openMatrixProduct, type RuntimeProduct } from './matrix-product.js';
export { type InputTensor, OpenedModel } from './opened-model.js';
export { verifiedForms, verifyOnnx } from './verify-onnx.js';
export { type Expected64, verifyOnnx64 } from './verify-onnx-64.js';
