import { linearMargins, sigmoid } from '../score/logistic.js';
import { predictMargins, type Tree, type TreeEnsemble } from '../trees/tree-ensemble.js';

/** What a base model is, as plain data: it can be saved, and written as ONNX. */
export type ModelForm =
  | { kind: 'linear'; coefficients: Float64Array; intercept: number }
  | { kind: 'trees'; ensemble: TreeEnsemble };

/** weight · head(margin of the form). */
export interface UpliftTerm {
  weight: number;
  head: 'sigmoid' | 'identity';
  form: ModelForm;
}

/** Effect of an action on the probability of the outcome: offset + the sum of the terms; every learner here is of this shape. */
export interface UpliftModel {
  /** e.g. `interaction-logistic`, `dr-learner over lightgbm`. */
  learner: string;
  offset: number;
  terms: UpliftTerm[];
}

/** Margins of a base model, shape [n]. */
export function formMargins(form: ModelForm, rows: Float32Array, columns: number): Float64Array {
  if (form.kind === 'trees') return predictMargins(form.ensemble, rows, columns);
  return linearMargins({ coefficients: form.coefficients, intercept: form.intercept }, rows);
}

/** Probabilities of a base model whose margin is log-odds, shape [n]. */
export function formProbabilities(form: ModelForm, rows: Float32Array, columns: number): Float64Array {
  return formMargins(form, rows, columns).map(sigmoid);
}

/** Predicted effects, shape [n]: difference of probabilities, negative where the action does harm. */
export function predictUplift(model: UpliftModel, rows: Float32Array, columns: number): Float64Array {
  const uplift = new Float64Array(rows.length / columns).fill(model.offset);
  for (const { weight, head, form } of model.terms) {
    const margins = formMargins(form, rows, columns);
    for (let i = 0; i < uplift.length; i++) {
      const margin = margins[i] ?? 0;
      uplift[i] = (uplift[i] ?? 0) + weight * (head === 'sigmoid' ? sigmoid(margin) : margin);
    }
  }
  return uplift;
}

/** The same trees where one column always has one value: tests of that column are replaced by the branch they take. */
export function fixColumn(ensemble: TreeEnsemble, column: number, value: number): TreeEnsemble {
  return { ...ensemble, trees: ensemble.trees.map((tree) => fixInTree(tree, column, value)) };
}

function fixInTree(tree: Tree, column: number, value: number): Tree {
  const taken = (node: number): number => {
    if (tree.feature[node] !== column) return node;
    const goesLeft = value <= (tree.threshold[node] ?? 0);
    return taken((goesLeft ? tree.left[node] : tree.right[node]) ?? 0);
  };
  const kept: number[] = [];
  const numberOf = new Map<number, number>();
  const visit = (node: number): void => {
    numberOf.set(node, kept.length);
    kept.push(node);
    if ((tree.feature[node] ?? -1) < 0) return;
    visit(taken(tree.left[node] ?? 0));
    visit(taken(tree.right[node] ?? 0));
  };
  visit(taken(0));
  const child = (side: Int32Array, node: number): number =>
    (tree.feature[node] ?? -1) < 0 ? 0 : (numberOf.get(taken(side[node] ?? 0)) ?? 0);
  return {
    feature: Int32Array.from(kept, (node) => tree.feature[node] ?? -1),
    threshold: Float64Array.from(kept, (node) => tree.threshold[node] ?? 0),
    left: Int32Array.from(kept, (node) => child(tree.left, node)),
    right: Int32Array.from(kept, (node) => child(tree.right, node)),
    defaultLeft: Uint8Array.from(kept, (node) => tree.defaultLeft[node] ?? 0),
    value: Float64Array.from(kept, (node) => tree.value[node] ?? 0),
    cover: Float64Array.from(kept, (node) => tree.cover[node] ?? 0),
  };
}
