// The models of the GPU suite, made from seeds by the product's own writers.
import { randomInteger, randomNormal, seededRandom } from '@sextant/learning';
import {
  constant,
  encodeModel,
  node,
  writeLinearModel,
  writeRecommender,
  writeTreeForms,
} from '@sextant/onnx';

const PLATT = { kind: 'probability', platt: { a: 1.1, b: 0.2 } };

/** Each with its forms, its columns, and what makes rows of features. */
export function gpuModels() {
  return [linear(32), trees({ count: 200, leaves: 31, columns: 32 }), mlp(64, 256), recommender(3_000)];
}

function linear(columns) {
  const random = seededRandom(1);
  const coefficients = Float64Array.from({ length: columns }, () => randomNormal(random) / 2);
  const written = writeLinearModel({ coefficients, intercept: -0.3 }, PLATT);
  return { name: 'linear', columns, written, rows: normalRows(columns) };
}

function trees({ count, leaves, columns }) {
  const random = seededRandom(2);
  const all = Array.from({ length: count }, () => aTree(random, leaves, columns));
  const written = writeTreeForms({ baseScore: -0.5, trees: all }, columns, PLATT);
  return { name: 'trees', columns, written, rows: normalRows(columns, 0.1) };
}

function aTree(random, leaves, columns) {
  const leaf = () => ({ feature: -1, threshold: 0, left: -1, right: -1, value: 0.05 * randomNormal(random) });
  const nodes = [leaf()];
  while (nodes.length < 2 * leaves - 1) {
    const open = nodes.filter(({ feature }) => feature < 0);
    const split = open[randomInteger(random, open.length)];
    Object.assign(split, { feature: randomInteger(random, columns), threshold: randomNormal(random) });
    split.left = nodes.push(leaf()) - 1;
    split.right = nodes.push(leaf()) - 1;
  }
  return {
    feature: Int32Array.from(nodes, ({ feature }) => feature),
    threshold: Float64Array.from(nodes, ({ threshold }) => threshold),
    left: Int32Array.from(nodes, ({ left }) => left),
    right: Int32Array.from(nodes, ({ right }) => right),
    defaultLeft: Uint8Array.from(nodes, () => randomInteger(random, 2)),
    value: Float64Array.from(nodes, ({ value }) => value),
    cover: new Float64Array(nodes.length).fill(1),
  };
}

/** As a company's own network would come: two hidden layers. */
function mlp(columns, hidden) {
  const random = seededRandom(3);
  const weights = (name, rows, width) =>
    constant(
      name,
      [rows, width],
      Float32Array.from({ length: rows * width }, () => randomNormal(random) / Math.sqrt(rows)),
    );
  const written = encodeModel({
    name: 'mlp',
    nodes: [
      node('MatMul', 'features first -> a'),
      node('Relu', 'a -> b'),
      node('MatMul', 'b second -> c'),
      node('Relu', 'c -> d'),
      node('MatMul', 'd third -> e'),
      node('Sigmoid', 'e -> probability'),
    ],
    initializers: [
      weights('first', columns, hidden),
      weights('second', hidden, hidden),
      weights('third', hidden, 1),
    ],
    input: { name: 'features', datatype: 'FP32', shape: [-1, columns] },
    output: { name: 'probability', datatype: 'FP32', shape: [-1, 1] },
  });
  return { name: 'mlp', columns, written, rows: normalRows(columns) };
}

/** Histories of 30 items. */
function recommender(itemCount) {
  const random = seededRandom(4);
  const matrix = Float32Array.from({ length: (itemCount + 1) * itemCount }, () => randomNormal(random) / 30);
  const columns = itemCount + 1;
  const rows = (count) => {
    const pick = seededRandom(5);
    const history = new Float32Array(count * columns);
    for (let row = 0; row < count; row++) {
      history[row * columns + itemCount] = 1;
      for (let k = 0; k < 30; k++) history[row * columns + randomInteger(pick, itemCount)] = 1;
    }
    return history;
  };
  return { name: 'recommender', columns, written: writeRecommender({ itemCount, matrix }), rows };
}

/** @param missing  share of missing values */
function normalRows(columns, missing = 0) {
  return (count) => {
    const random = seededRandom(6);
    return Float32Array.from({ length: count * columns }, () =>
      random() < missing ? Number.NaN : randomNormal(random),
    );
  };
}
