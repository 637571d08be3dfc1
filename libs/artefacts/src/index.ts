export {
  type ColumnEncoding,
  columnEncoding,
  type LeadSpec,
  type Manifest,
  manifest,
  type Measured,
  type ModelCard,
  modelCard,
  modelName,
  type PriceSpec,
  type RecommendSpec,
  type TableEncoding,
  tableEncoding,
  type Task,
} from './manifest.js';
export { ModelDirectory } from './model-directory.js';
