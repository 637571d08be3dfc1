/** ONNX files that nobody should take, written byte by byte: what a proper writer would refuse to write. */

type Bytes = Uint8Array;

export const varint = (value: number | bigint): Bytes => {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest >= 128n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  return Uint8Array.from([...bytes, Number(rest)]);
};
const join = (...parts: (Bytes | Bytes[])[]): Bytes => new Uint8Array(Buffer.concat(parts.flat()));
export const number = (field: number, value: number | bigint): Bytes =>
  join(varint(field * 8), varint(value));
export const bytes = (field: number, value: Bytes | string): Bytes => {
  const content = typeof value === 'string' ? Buffer.from(value) : value;
  return join(varint(field * 8 + 2), varint(content.byteLength), content);
};

export interface Tensor {
  name: string;
  dims: (number | bigint)[];
  type?: number;
  raw?: Bytes;
  external?: string;
  /** data_location without entries */
  isElsewhere?: boolean;
}

export const tensor = ({ name, dims, type = 1, raw, external, isElsewhere }: Tensor): Bytes =>
  join(
    ...dims.map((size) => number(1, size)),
    number(2, type),
    bytes(8, name),
    ...(raw ? [bytes(9, raw)] : []),
    ...(external === undefined
      ? []
      : [bytes(13, join(bytes(1, 'location'), bytes(2, external))), number(14, 1)]),
    ...(isElsewhere ? [number(14, 1)] : []),
  );
export const int64s = (...values: number[]): Bytes =>
  new Uint8Array(BigInt64Array.from(values.map(BigInt)).buffer);
export const floats = (...values: number[]): Bytes => new Uint8Array(Float32Array.from(values).buffer);

export type Attribute = Bytes;
export const intAttribute = (name: string, value: number): Attribute =>
  join(bytes(1, name), number(3, value), number(20, 2));
export const intsAttribute = (name: string, values: number[]): Attribute =>
  join(bytes(1, name), ...values.map((value) => number(8, value)), number(20, 7));
export const floatsAttribute = (name: string, values: number[]): Attribute =>
  join(bytes(1, name), bytes(7, floats(...values)), number(20, 6));
export const textsAttribute = (name: string, values: string[]): Attribute =>
  join(bytes(1, name), ...values.map((value) => bytes(9, value)), number(20, 8));
export const graphAttribute = (name: string, value: Bytes): Attribute =>
  join(bytes(1, name), bytes(6, value), number(20, 5));
export const tensorAttribute = (name: string, value: Bytes): Attribute =>
  join(bytes(1, name), bytes(5, value), number(20, 4));

export function node(operator: string, names: string, attributes: Attribute[] = [], domain = ''): Bytes {
  const [inputs = '', outputs = ''] = names.split('->').map((side) => side.trim());
  const list = (field: number, side: string): Bytes[] =>
    side === '' ? [] : side.split(' ').map((name) => bytes(field, name));
  return join(
    ...list(1, inputs),
    ...list(2, outputs),
    bytes(3, `${operator} of ${outputs}`),
    bytes(4, operator),
    ...attributes.map((attribute) => bytes(5, attribute)),
    ...(domain === '' ? [] : [bytes(7, domain)]),
  );
}

export function value(name: string, type: number, dims: (number | string)[]): Bytes {
  const shape = dims.map((size) => bytes(1, typeof size === 'number' ? number(1, size) : bytes(2, size)));
  return join(bytes(1, name), bytes(2, bytes(1, join(number(1, type), bytes(2, join(...shape))))));
}

export interface GraphParts {
  nodes: Bytes[];
  tensors?: Bytes[];
  inputs?: Bytes[];
  outputs?: Bytes[];
  sparse?: Bytes;
}
export const graph = ({ nodes, tensors = [], inputs, outputs, sparse }: GraphParts): Bytes =>
  join(
    nodes.map((each) => bytes(1, each)),
    bytes(2, 'hostile'),
    ...tensors.map((each) => bytes(5, each)),
    ...(inputs ?? [value('x', 1, ['batch', 2])]).map((each) => bytes(11, each)),
    ...(outputs ?? [value('p', 1, ['batch', 1])]).map((each) => bytes(12, each)),
    ...(sparse ? [bytes(15, sparse)] : []),
  );

export interface ModelParts {
  opsets?: [domain: string, version: number][];
  functions?: Bytes[];
  irVersion?: number;
}
export const model = (
  of: Bytes,
  {
    opsets = [
      ['', 17],
      ['ai.onnx.ml', 3],
    ],
    functions = [],
    irVersion = 8,
  }: ModelParts = {},
): Bytes =>
  join(
    number(1, irVersion),
    bytes(2, 'hostile'),
    bytes(7, of),
    ...opsets.map(([domain, version]) => bytes(8, join(bytes(1, domain), number(2, version)))),
    ...functions.map((each) => bytes(25, each)),
  );

/** Two columns, sigmoid(x · w): what the others are variations of. */
export const GOOD_NODES = [node('MatMul', 'x w -> m'), node('Sigmoid', 'm -> p')];
export const WEIGHTS = tensor({ name: 'w', dims: [2, 1], raw: floats(0.5, -0.25) });
export const goodModel = (): Bytes => model(graph({ nodes: GOOD_NODES, tensors: [WEIGHTS] }));

/** The good graph with more nodes before, whose result is added as nothing, so that every node counts. */
export function withNodes(nodes: Bytes[], tensors: Bytes[] = [], parts: ModelParts = {}): Bytes {
  return model(graph({ nodes: [...nodes, ...GOOD_NODES], tensors: [WEIGHTS, ...tensors] }), parts);
}

export interface TreeParts {
  treeIds?: number[];
  nodeIds?: number[];
  features?: number[];
  yes?: number[];
  no?: number[];
  modes?: string[];
}

/** One tree of a root and two leaves, with what is wrong about it. */
export function treeModel(parts: TreeParts = {}): Bytes {
  const {
    treeIds = [0, 0, 0],
    nodeIds = [0, 1, 2],
    features = [0, 0, 0],
    yes = [1, 0, 0],
    no = [2, 0, 0],
    modes = ['BRANCH_LEQ', 'LEAF', 'LEAF'],
  } = parts;
  const attributes = [
    intsAttribute('nodes_treeids', treeIds),
    intsAttribute('nodes_nodeids', nodeIds),
    intsAttribute('nodes_featureids', features),
    floatsAttribute(
      'nodes_values',
      nodeIds.map(() => 0.5),
    ),
    textsAttribute('nodes_modes', modes),
    intsAttribute('nodes_truenodeids', yes),
    intsAttribute('nodes_falsenodeids', no),
    intsAttribute('target_treeids', [0, 0]),
    intsAttribute('target_nodeids', [1, 2]),
    intsAttribute('target_ids', [0, 0]),
    floatsAttribute('target_weights', [0.2, 0.7]),
    intAttribute('n_targets', 1),
  ];
  return model(graph({ nodes: [node('TreeEnsembleRegressor', 'x -> p', attributes, 'ai.onnx.ml')] }));
}

export function functionOf(name: string, nodes: Bytes[], domain = 'own'): Bytes {
  return join(
    bytes(1, name),
    bytes(4, 'a'),
    bytes(5, 'b'),
    ...nodes.map((each) => bytes(7, each)),
    bytes(9, join(bytes(1, ''), number(2, 17))),
    bytes(10, domain),
  );
}
