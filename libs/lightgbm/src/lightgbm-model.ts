import { DomainError } from '@sextant/domain';
import type { Tree, TreeEnsemble } from '@sextant/learning';

/**
 * Trees of LightGBM's model text (format v4): numerical splits only, as our own encoder gives it.
 *
 * A node of missing type "none" reads NaN as 0, so NaN goes where 0 goes.
 *
 * @throws DomainError TRAINING_FAILED for a text that is not such a model (several classes, categorical splits, linear leaves)
 *
 * Source: LightGBM 4, src/io/tree.cpp (Tree::ToString) and include/LightGBM/tree.h (decision_type bits).
 */
export function parseLightGbmModel(text: string): TreeEnsemble {
  const [header = '', ...blocks] = text.split(/^Tree=\d+$/m);
  const settings = keyValues(header);
  if (!header.startsWith('tree\n')) throw invalid('it does not begin as a model does');
  if (settings.get('num_tree_per_iteration') !== '1') throw invalid('it has several trees a round');
  const trees = blocks.map((block) => parseTree(keyValues(block.split('\nend of trees')[0] ?? '')));
  const scale = /^average_output$/m.test(header) ? 1 / Math.max(1, trees.length) : 1;
  for (const tree of trees) tree.value = tree.value.map((value) => value * scale);
  return { baseScore: 0, trees };
}

function parseTree(fields: Map<string, string>): Tree {
  if (fields.get('num_cat') !== '0') throw invalid('it splits on categories');
  if (fields.get('is_linear') === '1') throw invalid('its leaves are linear models');
  const leaves = Number(fields.get('num_leaves'));
  const leafValue = numbers(fields, 'leaf_value');
  if (!Number.isInteger(leaves) || leafValue.length !== leaves) throw invalid('a tree lacks its leaves');
  const inner = leaves - 1;
  const tree = emptyTree(inner + leaves);
  tree.value.set(leafValue, inner);
  tree.cover.set(leaves === 1 ? [1] : numbers(fields, 'leaf_count'), inner);
  if (inner > 0) fillInnerNodes(tree, fields, inner);
  return tree;
}

function fillInnerNodes(tree: Tree, fields: Map<string, string>, inner: number): void {
  const [left, right] = [numbers(fields, 'left_child'), numbers(fields, 'right_child')];
  const decisions = numbers(fields, 'decision_type');
  tree.feature.set(numbers(fields, 'split_feature'));
  tree.threshold.set(numbers(fields, 'threshold'));
  tree.cover.set(numbers(fields, 'internal_count'));
  const nodeOf = (child: number | undefined): number =>
    child === undefined ? 0 : child >= 0 ? child : inner + ~child;
  for (let node = inner - 1; node >= 0; node--) {
    tree.left[node] = nodeOf(left[node]);
    tree.right[node] = nodeOf(right[node]);
    tree.defaultLeft[node] = missingGoesLeft(decisions[node] ?? 0, tree.threshold[node] ?? 0) ? 1 : 0;
  }
  fillExpectedValues(tree, 0);
}

/** Bit 0: categorical, bit 1: default left, bits 2–3: missing type none, zero or NaN. */
function missingGoesLeft(decision: number, threshold: number): boolean {
  const missing = (decision >> 2) & 3;
  if ((decision & 1) === 1) throw invalid('it splits on categories');
  if (missing === 1) throw invalid('it reads 0 as missing');
  return missing === 0 ? threshold >= 0 : (decision & 2) !== 0;
}

/** Value of an inner node: the cover-weighted mean of the leaves below it. */
function fillExpectedValues(tree: Tree, node: number): number {
  if ((tree.feature[node] ?? -1) < 0) return tree.value[node] ?? 0;
  const [left, right] = [tree.left[node] ?? 0, tree.right[node] ?? 0];
  const [a, b] = [tree.cover[left] ?? 0, tree.cover[right] ?? 0];
  const expected = (a * fillExpectedValues(tree, left) + b * fillExpectedValues(tree, right)) / (a + b);
  tree.value[node] = expected;
  return expected;
}

function emptyTree(nodes: number): Tree {
  return {
    feature: new Int32Array(nodes).fill(-1),
    threshold: new Float64Array(nodes),
    left: new Int32Array(nodes).fill(-1),
    right: new Int32Array(nodes).fill(-1),
    defaultLeft: new Uint8Array(nodes),
    value: new Float64Array(nodes),
    cover: new Float64Array(nodes),
  };
}

function keyValues(block: string): Map<string, string> {
  const pairs = block.split('\n').flatMap((line): [string, string][] => {
    const at = line.indexOf('=');
    return at > 0 ? [[line.slice(0, at), line.slice(at + 1)]] : [];
  });
  return new Map(pairs);
}

function numbers(fields: Map<string, string>, name: string): Float64Array {
  const values = Float64Array.from((fields.get(name) ?? '').split(' ').filter(Boolean), readNumber);
  if (values.length === 0 || values.some(Number.isNaN)) throw invalid(`a tree has no readable ${name}`);
  return values;
}

/** "inf" parts missing from present cells; the largest finite number does the same and survives JSON. */
function readNumber(text: string): number {
  return text === 'inf' ? Number.MAX_VALUE : Number(text);
}

function invalid(why: string): DomainError {
  return new DomainError('TRAINING_FAILED', `this LightGBM model cannot be served: ${why}`);
}
