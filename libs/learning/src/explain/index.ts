export {
  type ExplainedModel,
  type Explainer,
  type Explanation,
  parseExplainer,
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
