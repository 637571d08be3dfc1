import type { RefusalCode } from '../inspect/model-refused.js';
import * as write from './hostile-files.fixture.js';

/** A file, and the reason for which it is refused before any runtime sees it. */
export interface HostileFile {
  name: string;
  code: RefusalCode;
  bytes: Uint8Array;
}

const file = (name: string, code: RefusalCode, bytes: Uint8Array | string): HostileFile => ({
  name,
  code,
  bytes: typeof bytes === 'string' ? Buffer.from(bytes) : bytes,
});
const { tensor, node, int64s, withNodes, model, graph, treeModel, functionOf } = write;

function cutOff(): HostileFile[] {
  const whole = write.goodModel();
  const places = [
    0,
    1,
    2,
    3,
    5,
    8,
    13,
    21,
    34,
    55,
    89,
    Math.floor(whole.length / 2),
    whole.length - 30,
    whole.length - 1,
  ];
  return places.map((place) => file(`cut off after ${place} bytes`, 'NOT_ONNX', whole.subarray(0, place)));
}

function otherThings(): HostileFile[] {
  return [
    file('a picture', 'NOT_ONNX', Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')),
    file('a pickle', 'NOT_ONNX', Buffer.from('80049508000000000000008c046e616d65942e', 'hex')),
    file('an archive', 'NOT_ONNX', Buffer.from('504b03041400000008', 'hex')),
    file('a page', 'NOT_ONNX', '<!DOCTYPE html><title>404 Not Found</title>'),
    file('JSON', 'NOT_ONNX', '{"formatVersion":1}'),
    file(
      'a pointer to a file elsewhere',
      'NOT_ONNX',
      'version https://git-lfs.github.com/spec/v1\noid sha256:00',
    ),
    file('nothing but zeros', 'NOT_ONNX', new Uint8Array(4096)),
    file('nothing but 255', 'NOT_ONNX', new Uint8Array(4096).fill(255)),
    file('a length of 2^62', 'NOT_ONNX', Uint8Array.from([58, ...write.varint(2n ** 62n)])),
    file('a negative length', 'NOT_ONNX', Uint8Array.from([58, ...write.varint(-1)])),
    file('a group', 'NOT_ONNX', Uint8Array.from([59, 60])),
    file(
      'a number of eleven bytes',
      'NOT_ONNX',
      Uint8Array.from([8, ...new Array<number>(11).fill(0x80), 1]),
    ),
    file('no graph', 'NOT_ONNX', write.number(1, 8)),
    file('two graphs', 'NOT_ONNX', Buffer.concat([write.goodModel(), write.bytes(7, new Uint8Array())])),
    file('no operator set', 'NOT_ONNX', model(graph({ nodes: write.GOOD_NODES }), { opsets: [] })),
    file('no version', 'NOT_ONNX', model(graph({ nodes: write.GOOD_NODES }), { irVersion: 0 })),
    file(
      'a name that is no text',
      'NOT_ONNX',
      model(graph({ nodes: [write.bytes(4, Uint8Array.of(0xff, 0xfe))] })),
    ),
    file('a name of 2,000 characters', 'NOT_ONNX', withNodes([node('Identity', `x -> ${'y'.repeat(2000)}`)])),
    file('a node without operator', 'NOT_ONNX', withNodes([write.bytes(2, 'y')])),
  ];
}

function operators(): HostileFile[] {
  const custom = node('Frobnicate', 'x -> y', [], 'com.example');
  return [
    file('an operator set of the future', 'OPSET_UNSUPPORTED', withNodes([], [], { opsets: [['', 99]] })),
    file('an operator set of long ago', 'OPSET_UNSUPPORTED', withNodes([], [], { opsets: [['', 1]] })),
    file(
      'a tree operator set of the future',
      'OPSET_UNSUPPORTED',
      withNodes([], [], {
        opsets: [
          ['', 17],
          ['ai.onnx.ml', 99],
        ],
      }),
    ),
    file(
      'a custom operator',
      'OPERATOR_UNSUPPORTED',
      withNodes([custom], [], {
        opsets: [
          ['', 17],
          ['com.example', 1],
        ],
      }),
    ),
    file('an operator of Python', 'OPERATOR_UNSUPPORTED', withNodes([node('PyOp', 'x -> y', [], 'pyopadd')])),
    file(
      'a custom operator in a branch',
      'OPERATOR_UNSUPPORTED',
      withNodes([
        node('If', 'c -> y', [
          write.graphAttribute('then_branch', graph({ nodes: [custom], inputs: [], outputs: [] })),
        ]),
      ]),
    ),
    file(
      'a sparse tensor',
      'OPERATOR_UNSUPPORTED',
      model(graph({ nodes: write.GOOD_NODES, sparse: new Uint8Array() })),
    ),
    file(
      'a type that there is none of',
      'OPERATOR_UNSUPPORTED',
      withNodes([], [tensor({ name: 't', dims: [1], type: 77, raw: new Uint8Array(4) })]),
    ),
  ];
}

function tensors(): HostileFile[] {
  const elsewhere = (location: string): Uint8Array =>
    withNodes([], [tensor({ name: 't', dims: [4], external: location })]);
  return [
    file('data in a file beside it', 'EXTERNAL_DATA_MISSING', elsewhere('weights.bin')),
    file('data above its folder', 'EXTERNAL_DATA_MISSING', elsewhere('../../../../etc/passwd')),
    file('data at an absolute path', 'EXTERNAL_DATA_MISSING', elsewhere('/etc/passwd')),
    file('data on another drive', 'EXTERNAL_DATA_MISSING', elsewhere('C:\\windows\\win.ini')),
    file('data on another host', 'EXTERNAL_DATA_MISSING', elsewhere('//host/share/weights')),
    file(
      'data somewhere',
      'EXTERNAL_DATA_MISSING',
      withNodes([], [tensor({ name: 't', dims: [4], isElsewhere: true })]),
    ),
    file(
      'data elsewhere in a constant',
      'EXTERNAL_DATA_MISSING',
      withNodes([
        node('Constant', '-> c', [
          write.tensorAttribute('value', tensor({ name: 't', dims: [4], external: '../x' })),
        ]),
      ]),
    ),
    file(
      'less data than its shape',
      'GRAPH_INVALID',
      withNodes([], [tensor({ name: 't', dims: [4], raw: new Uint8Array(8) })]),
    ),
    file(
      'more data than its shape',
      'GRAPH_INVALID',
      withNodes([], [tensor({ name: 't', dims: [1], raw: new Uint8Array(8) })]),
    ),
    file('no data', 'GRAPH_INVALID', withNodes([], [tensor({ name: 't', dims: [3] })])),
    file(
      'a negative size',
      'GRAPH_INVALID',
      withNodes([], [tensor({ name: 't', dims: [-2, -2], raw: new Uint8Array(16) })]),
    ),
    file(
      'a tensor of a terabyte',
      'GRAPH_TOO_LARGE',
      withNodes([], [tensor({ name: 't', dims: [2 ** 38] })]),
    ),
    file(
      'sizes that overflow',
      'GRAPH_TOO_LARGE',
      withNodes([], [tensor({ name: 't', dims: [2n ** 62n, 4n] })]),
    ),
  ];
}

function bombs(): HostileFile[] {
  const shape = (...sizes: number[]): Uint8Array =>
    tensor({ name: 's', dims: [sizes.length], type: 7, raw: int64s(...sizes) });
  const one = tensor({ name: 'one', dims: [1, 1], raw: write.floats(1) });
  const doubling = Array.from({ length: 40 }, (_, i) =>
    node('Concat', `${i === 0 ? 'one' : `d${i - 1}`} ${i === 0 ? 'one' : `d${i - 1}`} -> d${i}`, [
      write.intAttribute('axis', 0),
    ]),
  );
  const nested = (depth: number): Uint8Array =>
    depth === 0
      ? graph({ nodes: [node('Identity', 'x -> y')], inputs: [], outputs: [] })
      : graph({
          nodes: [node('If', 'c -> y', [write.graphAttribute('then_branch', nested(depth - 1))])],
          inputs: [],
          outputs: [],
        });
  const own: [string, number][] = [
    ['', 17],
    ['own', 1],
  ];
  const levels = Array.from({ length: 60 }, (_, i) =>
    functionOf(
      `f${i}`,
      i === 0
        ? [node('Identity', 'a -> b')]
        : [node(`f${i - 1}`, 'a -> c', [], 'own'), node(`f${i - 1}`, 'c -> b', [], 'own')],
    ),
  );
  const calls = [node('f59', 'x -> y', [], 'own')];
  const circle = [
    functionOf('f59', [node('g', 'a -> b', [], 'own')]),
    functionOf('g', [node('f59', 'a -> b', [], 'own')]),
  ];
  const body = graph({ nodes: [node('Identity', 'c -> d')], inputs: [], outputs: [] });
  const loop = (trips: string): Uint8Array =>
    node('Loop', `${trips} c x -> y`, [write.graphAttribute('body', body)]);
  const trips = (count: number): Uint8Array =>
    tensor({ name: 'trips', dims: [], type: 7, raw: int64s(count) });
  return [
    file(
      'a constant of 2^36',
      'GRAPH_TOO_LARGE',
      withNodes([node('ConstantOfShape', 's -> y')], [shape(2 ** 18, 2 ** 18)]),
    ),
    file(
      'one number for 2^40',
      'GRAPH_TOO_LARGE',
      withNodes([node('Expand', 'one s -> y')], [one, shape(2 ** 20, 2 ** 20)]),
    ),
    file('tiles', 'GRAPH_TOO_LARGE', withNodes([node('Tile', 'one s -> y')], [one, shape(2 ** 15, 2 ** 15)])),
    file(
      'tiles of tiles',
      'GRAPH_TOO_LARGE',
      withNodes([node('Tile', 'one s -> y'), node('Tile', 'y s -> z')], [one, shape(2 ** 9, 2 ** 9)]),
    ),
    file('forty doublings', 'GRAPH_TOO_LARGE', withNodes(doubling, [one])),
    file(
      'random numbers by the billion',
      'GRAPH_TOO_LARGE',
      withNodes([node('RandomNormal', '-> y', [write.intsAttribute('shape', [2 ** 16, 2 ** 16])])]),
    ),
    file('a loop of 10^12', 'GRAPH_TOO_LARGE', withNodes([loop('trips')], [trips(1e12)])),
    file('a loop as long as the row says', 'GRAPH_TOO_LARGE', withNodes([loop('x')])),
    file(
      'a loop without end',
      'GRAPH_TOO_LARGE',
      withNodes([node('Loop', 'e c x -> y', [write.graphAttribute('body', body)])]),
    ),
    file('branches ten deep', 'GRAPH_TOO_LARGE', model(nested(10))),
    file('branches a thousand deep', 'GRAPH_TOO_LARGE', model(nested(1000))),
    file(
      'functions that unfold to 2^59',
      'GRAPH_TOO_LARGE',
      withNodes(calls, [], { opsets: own, functions: levels }),
    ),
    file(
      'functions in a circle',
      'GRAPH_TOO_LARGE',
      withNodes(calls, [], { opsets: own, functions: circle }),
    ),
    file(
      '150,000 nodes',
      'GRAPH_TOO_LARGE',
      withNodes(Array.from({ length: 150_000 }, () => node('Identity', 'x -> y'))),
    ),
  ];
}

function trees(): HostileFile[] {
  const inner = ['BRANCH_LEQ', 'BRANCH_LEQ', 'LEAF'];
  return [
    file(
      'a tree that bites its tail',
      'GRAPH_INVALID',
      treeModel({ modes: inner, yes: [1, 1, 0], no: [2, 2, 0] }),
    ),
    file(
      'a tree that goes back to its root',
      'GRAPH_INVALID',
      treeModel({ modes: inner, yes: [1, 0, 0], no: [2, 2, 0] }),
    ),
    file('a branch into nothing', 'GRAPH_INVALID', treeModel({ yes: [7, 0, 0] })),
    file('a branch into another tree', 'GRAPH_INVALID', treeModel({ treeIds: [0, 0, 1] })),
    file('a node twice', 'GRAPH_INVALID', treeModel({ nodeIds: [0, 1, 1] })),
    file('lists of different lengths', 'GRAPH_INVALID', treeModel({ features: [0, 0] })),
    file('a negative column', 'GRAPH_INVALID', treeModel({ features: [-1, 0, 0] })),
    file('column 10^9', 'GRAPH_INVALID', treeModel({ features: [1e9, 0, 0] })),
  ];
}

/** Files that are refused unseen by the runtime. */
export function hostileCorpus(): HostileFile[] {
  return [...cutOff(), ...otherThings(), ...operators(), ...tensors(), ...bombs(), ...trees()];
}
