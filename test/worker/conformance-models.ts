import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { seededRandom } from '@sextant/learning';
import { coOccurrence, easeWeights } from '@sextant/learning/recommend';
import { LightGbmProcess, lightGbmParameters, parseLightGbmModel } from '@sextant/lightgbm';
import { CACHE_DIRECTORY, findLightGbm } from '@sextant/local-services';
import { constant, encodeGraph, encodeModel, node, writeRecommender, writeTreeModel } from '@sextant/onnx';

/** A model of float32 rows: its name, the width of its input and its file. */
export interface TabularModel {
  name: string;
  columns: number;
  onnx: string;
}

/** Every datatype, with its number among the element types of ONNX's TensorProto. */
export const ELEMENT_TYPE = {
  FP32: 1,
  UINT8: 2,
  INT8: 3,
  UINT16: 4,
  INT16: 5,
  INT32: 6,
  INT64: 7,
  BYTES: 8,
  BOOL: 9,
  FP16: 10,
  FP64: 11,
  UINT32: 12,
  UINT64: 13,
} as const;

const FEATURES = 32;
const ITEMS = 40;

/** `<root>/<name>/1/model.onnx`, as Triton lays models out. */
async function writePlain(root: string, name: string, bytes: Uint8Array): Promise<string> {
  const folder = join(root, name, '1');
  await mkdir(folder, { recursive: true });
  const path = join(folder, 'model.onnx');
  await writeFile(path, bytes);
  return path;
}

/** A perceptron, a recommender of EASE and, where LightGBM can be had, 50 of its trees. */
export async function writeTabularModels(root: string): Promise<TabularModel[]> {
  const written = [
    { name: 'perceptron', columns: FEATURES, bytes: aPerceptron() },
    { name: 'ease', columns: ITEMS + 1, bytes: await aRecommender() },
    { name: 'lightgbm', columns: FEATURES, bytes: await trees() },
  ];
  const models: TabularModel[] = [];
  for (const { name, columns, bytes } of written) {
    if (bytes) models.push({ name, columns, onnx: await writePlain(root, name, bytes) });
  }
  return models;
}

/** A model of each datatype that gives back what it gets: x → y, shape [-1, 2]. */
export async function writeIdentities(root: string): Promise<void> {
  for (const [datatype, elementType] of Object.entries(ELEMENT_TYPE)) {
    const shape = { dim: [{ dim_param: 'batch' }, { dim_value: 2 }] };
    const value = (name: string): object => ({
      name,
      type: { tensor_type: { elem_type: elementType, shape } },
    });
    const graph = {
      name: 'identity',
      node: [node('Identity', 'x -> y')],
      initializer: [],
      input: [value('x')],
      output: [value('y')],
    };
    await writePlain(root, `type-${datatype.toLowerCase()}`, encodeGraph(graph));
  }
}

function aPerceptron(): Uint8Array {
  const random = seededRandom(1);
  const draw = (...dims: number[]): Float32Array =>
    Float32Array.from({ length: dims.reduce((product, size) => product * size, 1) }, () => random() - 0.5);
  const hidden = 64;
  return encodeModel({
    name: 'perceptron',
    nodes: [
      node('Gemm', 'features w1 b1 -> h1'),
      node('Relu', 'h1 -> r1'),
      node('Gemm', 'r1 w2 b2 -> h2'),
      node('Relu', 'h2 -> r2'),
      node('Gemm', 'r2 w3 b3 -> margin'),
      node('Sigmoid', 'margin -> probability'),
    ],
    initializers: [
      constant('w1', [FEATURES, hidden], draw(FEATURES, hidden)),
      constant('b1', [hidden], draw(hidden)),
      constant('w2', [hidden, hidden], draw(hidden, hidden)),
      constant('b2', [hidden], draw(hidden)),
      constant('w3', [hidden, 1], draw(hidden, 1)),
      constant('b3', [1], draw(1)),
    ],
    input: { name: 'features', datatype: 'FP32', shape: [-1, FEATURES] },
    output: { name: 'probability', datatype: 'FP32', shape: [-1, 1] },
  }).bytes;
}

/** EASE of random baskets. */
async function aRecommender(): Promise<Uint8Array> {
  const random = seededRandom(2);
  const baskets = Array.from({ length: 500 }, () =>
    Uint32Array.from([...Array(ITEMS).keys()].filter((item) => random() < 2 / (item + 2))),
  );
  const gram = coOccurrence(baskets, ITEMS);
  const weights = await easeWeights(gram, ITEMS, { lambda: 50 });
  const matrix = new Float32Array((ITEMS + 1) * ITEMS);
  matrix.set(weights);
  return writeRecommender({ itemCount: ITEMS, matrix }).bytes;
}

/** Null where LightGBM cannot be had. */
async function trees(): Promise<Uint8Array | null> {
  const library = await findLightGbm({ env: process.env, cacheDir: CACHE_DIRECTORY }).catch(() => null);
  if (library === null) return null;
  const random = seededRandom(3);
  const rows = Float32Array.from({ length: 3_000 * FEATURES }, () => 2 * random() - 1);
  const labels = Float32Array.from({ length: 3_000 }, (_, row) =>
    Number((rows[row * FEATURES] ?? 0) * (rows[row * FEATURES + 1] ?? 0) > random() - 0.5),
  );
  const parameters = lightGbmParameters({
    objective: 'binary',
    seed: 1,
    learningRate: 0.1,
    leaves: 31,
    minRowsPerLeaf: 20,
    columnShare: 1,
    l2: 1,
    threads: 1,
  });
  await using lightGbm = await LightGbmProcess.open(library);
  const request = { train: { rows, labels }, columns: FEATURES, validation: null, parameters };
  const { model } = await lightGbm.train({ ...request, rounds: 50, patience: 50 });
  const head = { kind: 'probability', platt: { a: 1, b: 0 } } as const;
  return writeTreeModel(parseLightGbmModel(model), FEATURES, head).bytes;
}
