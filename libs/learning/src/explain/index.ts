export { type BandQuestion, changeToBand, type ColumnMove } from './band-change.js';
export {
  type ExplainedModel,
  type ExplainedScore,
  type Explainer,
  type Explanation,
  parseExplainer,
  readExplainedScore,
  writeExplainer,
} from './explainer.js';
export {
  type ActionableColumn,
  type ChangeQuestion,
  minimalLinearChange,
  type MinimalChange,
} from './minimal-change.js';
export { minimalTreeChange } from './minimal-tree-change.js';
export { TreeShap, type TreeShapOptions } from './tree-shap.js';
