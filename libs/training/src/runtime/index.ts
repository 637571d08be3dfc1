export { verifyOnnx } from './verify-onnx.js';
