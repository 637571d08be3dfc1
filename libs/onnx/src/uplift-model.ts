import { DomainError } from '@sextant/domain';
import type { ModelForm, UpliftModel } from '@sextant/learning/uplift';
import { attribute, castTo, constant, DOUBLE, encodeModel, node, type OnnxModel } from './onnx-model.js';
import { ensembleAttributes } from './tree-model.js';

/** What `writeUpliftModel` writes: the probability without any action, and the effect of each action on it. */
export interface UpliftGraph {
  columns: number;
  /** margin in log-odds */
  without: ModelForm;
  actions: readonly UpliftModel[];
}

interface Parts {
  nodes: object[];
  initializers: object[];
}

/**
 * Probability of the outcome without an action and with each one. Linear parts run in float64, trees as `TreeEnsembleRegressor`.
 * The probability with an action is the one without plus the effect, kept within [0, 1].
 *
 * Input `features` FP32 [-1, columns], output `probabilities` FP32 [-1, 1 + actions].
 *
 * @throws DomainError FEATURE_VECTOR_MISMATCH when a coefficient is not finite or their number is not `columns`
 */
export function writeUpliftModel({ columns, without, actions }: UpliftGraph): OnnxModel {
  const parts: Parts = {
    nodes: [castTo(DOUBLE, 'features -> wide_features')],
    initializers:
      actions.length === 0
        ? []
        : [constant('zero', [], Float64Array.of(0)), constant('one', [], Float64Array.of(1))],
  };
  writeForm(parts, { form: without, name: 'without_margin', columns });
  parts.nodes.push(node('Sigmoid', 'without_margin -> p0'));
  for (const [index, model] of actions.entries()) writeAction(parts, { model, index, columns });
  const all = ['p0', ...actions.map((_, index) => `p${index + 1}`)].join(' ');
  parts.nodes.push(
    node('Concat', `${all} -> wide_probabilities`, [attribute.int('axis', 1)]),
    castTo(1, 'wide_probabilities -> probabilities'),
  );
  return encodeModel({
    name: 'uplift-model',
    ...parts,
    input: { name: 'features', datatype: 'FP32', shape: [-1, columns] },
    output: { name: 'probabilities', datatype: 'FP32', shape: [-1, 1 + actions.length] },
  });
}

function writeAction(
  parts: Parts,
  { model, index, columns }: { model: UpliftModel; index: number; columns: number },
): void {
  const prefix = `a${index}`;
  parts.initializers.push(constant(`${prefix}_offset`, [], Float64Array.of(model.offset)));
  let sum = `${prefix}_offset`;
  for (const [t, { weight, head, form }] of model.terms.entries()) {
    const name = `${prefix}_t${t}`;
    writeForm(parts, { form, name: `${name}_margin`, columns });
    const value = head === 'sigmoid' ? `${name}_value` : `${name}_margin`;
    if (head === 'sigmoid') parts.nodes.push(node('Sigmoid', `${name}_margin -> ${value}`));
    parts.initializers.push(constant(`${name}_weight`, [], Float64Array.of(weight)));
    parts.nodes.push(
      node('Mul', `${value} ${name}_weight -> ${name}_weighted`),
      node('Add', `${sum} ${name}_weighted -> ${name}_sum`),
    );
    sum = `${name}_sum`;
  }
  parts.nodes.push(
    node('Add', `p0 ${sum} -> ${prefix}_open`),
    node('Clip', `${prefix}_open zero one -> p${index + 1}`),
  );
}

/** The margin as float64 [-1, 1]. */
function writeForm(
  { nodes, initializers }: Parts,
  { form, name, columns }: { form: ModelForm; name: string; columns: number },
): void {
  if (form.kind === 'trees') {
    nodes.push(
      node('TreeEnsembleRegressor', `features -> ${name}_float`, ensembleAttributes(form.ensemble, columns)),
      castTo(DOUBLE, `${name}_float -> ${name}`),
    );
    return;
  }
  const weights = Float64Array.from(form.coefficients);
  if (weights.length !== columns || !weights.every(Number.isFinite) || !Number.isFinite(form.intercept))
    throw new DomainError(
      'FEATURE_VECTOR_MISMATCH',
      `a linear part needs ${columns} finite coefficients and an intercept, got ${weights.length}`,
    );
  initializers.push(
    constant(`${name}_weights`, [columns, 1], weights),
    constant(`${name}_intercept`, [1], Float64Array.of(form.intercept)),
  );
  nodes.push(
    node('MatMul', `wide_features ${name}_weights -> ${name}_product`),
    node('Add', `${name}_product ${name}_intercept -> ${name}`),
  );
}
