export {
  type AdaptedModel,
  adaptScoreModel,
  inputsOf,
  type OutputMeaning,
  type ScoreContract,
} from './adapt/adapt-score-model.js';
export { inspectOnnxFile } from './inspect/inspect-onnx-file.js';
export { LIMITS as IMPORT_LIMITS } from './inspect/limits.js';
export { ModelRefused, REFUSAL_CODES, type RefusalCode, shown } from './inspect/model-refused.js';
export type { OnnxFile } from './inspect/onnx-file.js';
export { writeLifetimeModel } from './lifetime-model.js';
export type { LifetimeLimits } from './lifetime-part.js';
export { type LinearModel, writeLinearModel } from './linear-model.js';
export { writeMatrixProduct } from './matrix-product.js';
export { GPU_ONNX_FILE, ONNX_FILE, onnxDescription, onnxFiles } from './onnx-files.js';
export { constant, encodeGraph, encodeModel, node, type OnnxModel, type OnnxTensor } from './onnx-model.js';
export type { OutputHead } from './output-head.js';
export { writeRecommender } from './recommender.js';
export { roundDownToFloat32 } from './round-down.js';
export { type SessionTensors, writeSessionModel } from './session-model.js';
export { writeTreeForms } from './tree-forms.js';
export { writeTreeModel } from './tree-model.js';
export { MAX_TENSOR_ELEMENTS, writeTreeTensorModel } from './tree-tensor-model.js';
export { type UpliftGraph, writeUpliftModel } from './uplift-model.js';
