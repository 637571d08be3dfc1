import { ModelRefused, shown } from '../inspect/model-refused.js';
import { elementTypeName, type OnnxFile, type OnnxNode, type OnnxValue } from '../inspect/onnx-file.js';
import { textOf } from '../inspect/read-onnx-file.js';
import { attribute, DOUBLE, FLOAT, type OnnxModel } from '../onnx-model.js';
import { AddedNodes } from './added-nodes.js';
import { freeNames, type GraphNames } from './graph-names.js';
import { joinGraph } from './join-graph.js';

/** What the numbers of an output mean: probabilities, or log-odds (for several columns: logits of a softmax). */
export type OutputMeaning = 'PROBABILITY' | 'LOG_ODDS';

export interface ScoreContract {
  /** columns of the input that the features become */
  columns: number;
  meaning: OutputMeaning;
  /** output to read; null: the only one that can be meant */
  output: string | null;
  /** the class whose probability is meant, by its label or, where the file names none, by its column; null: `1`, or the last column of two */
  positiveClass: string | null;
  /** Platt's line in log-odds, sigmoid(a · margin + b); null: as it is */
  calibration: { a: number; b: number } | null;
}

export interface AdaptedModel extends OnnxModel {
  /** what was read of the file, in words */
  source: { inputs: string[]; output: string; column: number };
}

const INT32 = 6;
const INT64 = 7;
const FLOAT16 = 10;
const INPUT_TYPES = [FLOAT, DOUBLE, FLOAT16, INT32, INT64];
const OUTPUT_TYPES = [FLOAT, DOUBLE, FLOAT16];

/**
 * The same function with the signature of a score: `features` FP32 [-1, columns] → `probability` FP32 [-1, 1]. Nodes of the file stay
 * as they are, bytes and all; those that the output does not need (the label, the map of a ZipMap) are left out, and a few are added
 * before and after.
 *
 * @throws ModelRefused INPUT_MISMATCH, OUTPUT_MISMATCH naming what was expected and what the file has
 */
export function adaptScoreModel(file: OnnxFile, contract: ScoreContract): AdaptedModel {
  const names = freeNames(file.graph);
  const before = inputNodes(file, contract.columns, names);
  const chosen = chooseOutput(file, contract);
  const after = outputNodes(chosen, contract, names);
  const signature = {
    inputs: [{ name: names.input, datatype: 'FP32' as const, shape: [-1, contract.columns] }],
    outputs: [{ name: names.output, datatype: 'FP32' as const, shape: [-1, 1] }],
  };
  const bytes = joinGraph(file, { wanted: chosen.tensor, before, after, ...signature });
  return {
    bytes,
    opset: file.opsets.get('') ?? 0,
    ...signature,
    source: {
      inputs: inputsOf(file).map(({ name }) => name),
      output: chosen.name,
      column: chosen.column ?? 0,
    },
  };
}

/** Initializers may be listed as inputs too, in files of the third format and older. */
export function inputsOf({ graph }: OnnxFile): OnnxValue[] {
  const constants = new Set(graph.initializers.map(({ name }) => name));
  return graph.inputs.filter(({ name }) => !constants.has(name));
}

/** One matrix of all columns, or a matrix of its own for some of them each. */
function inputNodes(file: OnnxFile, columns: number, names: GraphNames): AddedNodes {
  const inputs = inputsOf(file);
  const added = new AddedNodes(names, names.input);
  const [only] = inputs;
  if (!only) throw new ModelRefused('INPUT_MISMATCH', 'the graph has no input');
  if (inputs.length === 1) {
    castOrPass(added, checkInput(only, columns), [names.input, only.name]);
    return added;
  }
  const widths = inputs.map((input) => input.tensor?.shape?.at(-1) ?? 1);
  if (widths.reduce((sum, width) => sum + width, 0) !== columns || widths.some((width) => width < 1)) {
    const said = inputs.map(({ name, tensor }) => `${shown(name)} [${tensor?.shape?.join(', ') ?? '?'}]`);
    throw new ModelRefused(
      'INPUT_MISMATCH',
      `expected ${columns} columns, as the mapping has, in one input or in several together; the graph has ${said.slice(0, 20).join(', ')}`,
    );
  }
  let from = 0;
  for (const [i, input] of inputs.entries()) {
    const width = widths[i] ?? 1;
    const type = checkInput(input, width);
    const picked = BigInt64Array.from({ length: width }, (_, k) => BigInt(from + k));
    const part = names.own(`part_${i}`);
    const columnsOfPart = added.constant(`columns_${i}`, picked);
    added.node('Gather', [names.input, columnsOfPart], [part], [attribute.int('axis', 1)]);
    castOrPass(added, type, [part, input.name]);
    from += width;
  }
  return added;
}

function castOrPass(added: AddedNodes, type: number, [from, to]: [string, string]): void {
  if (type === FLOAT) added.node('Identity', [from], [to]);
  else added.node('Cast', [from], [to], [attribute.int('to', type)]);
}

/** @returns its element type */
function checkInput({ name, tensor }: OnnxValue, columns: number): number {
  const expected = `float [batch, ${columns}]`;
  const refuse = (found: string, remedy: string): ModelRefused =>
    new ModelRefused(
      'INPUT_MISMATCH',
      `input ${shown(name)}: expected ${expected}, found ${found}: ${remedy}`,
    );
  if (!tensor) throw refuse('a sequence or a map', 'export with a tensor as input');
  const { elementType, shape } = tensor;
  const found = `${elementTypeName(elementType)} [${shape?.map((size) => (size < 0 ? 'batch' : size)).join(', ') ?? '?'}]`;
  if (!INPUT_TYPES.includes(elementType)) {
    throw refuse(found, 'export a graph of numbers; texts become numbers in the mapping');
  }
  if (shape === null) return elementType;
  if (shape.length !== 2) throw refuse(found, 'rows are the first dimension, columns the second');
  if ((shape[0] ?? -1) > 0)
    throw refuse(found, 'export with a free first dimension (dynamic axes), so that rows can run together');
  const width = shape[1] ?? -1;
  if (width >= 0 && width !== columns) throw refuse(found, 'map as many columns as the model was trained on');
  return elementType;
}

interface ChosenOutput {
  /** as the file names it */
  name: string;
  /** the tensor that it is computed from: of a map, what went into it */
  tensor: string;
  elementType: number;
  /** null: one column */
  column: number | null;
}

function chooseOutput(file: OnnxFile, contract: ScoreContract): ChosenOutput {
  const candidates = file.graph.outputs.flatMap((output) => candidateOf(file, output));
  const names = file.graph.outputs.map(({ name }) => shown(name)).join(', ');
  const wanted = contract.output;
  const found = wanted === null ? candidates : candidates.filter(({ output }) => output.name === wanted);
  const [only] = found;
  if (!only) {
    const expected =
      wanted === null
        ? 'an output of floating-point numbers, [batch, classes] or [batch, 1]'
        : `the output ${shown(wanted)}`;
    throw new ModelRefused('OUTPUT_MISMATCH', `expected ${expected}; the graph has ${names}`);
  }
  if (found.length > 1) {
    const those = found.map(({ output }) => shown(output.name)).join(' or ');
    throw new ModelRefused(
      'OUTPUT_MISMATCH',
      `expected one output, found ${those}: name the one that is meant`,
    );
  }
  return {
    name: only.output.name,
    tensor: only.tensor,
    elementType: only.elementType,
    column: columnOf(only, contract.positiveClass),
  };
}

interface Candidate {
  output: OnnxValue;
  tensor: string;
  elementType: number;
  /** of the columns; null where the file names none */
  labels: string[] | null;
  /** columns; null where they are not declared */
  width: number | null;
}

/** What may be probabilities: a floating-point matrix, or the map that a ZipMap makes of one. */
function candidateOf(file: OnnxFile, output: OnnxValue): Candidate[] {
  if (output.tensor === null) {
    const zip = file.graph.nodes.find(
      (each) => each.operator === 'ZipMap' && each.outputs.includes(output.name),
    );
    const [tensor] = zip?.inputs ?? [];
    if (!zip || tensor === undefined) return [];
    const labels = classLabels(file, zip);
    return [{ output, tensor, elementType: FLOAT, labels, width: labels.length }];
  }
  const { elementType, shape } = output.tensor;
  if (!OUTPUT_TYPES.includes(elementType)) return [];
  if (shape !== null && (shape.length > 2 || (shape[0] ?? -1) > 0)) return [];
  const declared = shape === null ? null : shape.length === 1 ? 1 : (shape[1] ?? -1);
  const width = declared === null || declared < 0 ? null : declared;
  const labels = labelsOfClassifier(file, width);
  return [{ output, tensor: output.name, elementType, labels, width }];
}

/** The classes that a classifier of the file names, where they are as many as the columns. */
function labelsOfClassifier(file: OnnxFile, width: number | null): string[] | null {
  for (const each of file.graph.nodes) {
    if (each.domain !== 'ai.onnx.ml') continue;
    const labels = classLabels(file, each);
    if (labels.length > 1 && (width === null || labels.length === width)) return labels;
  }
  return null;
}

function classLabels(file: OnnxFile, of: OnnxNode): string[] {
  for (const name of ['classlabels_int64s', 'classlabels_ints', 'classlabels_strings']) {
    const found = of.attributes.get(name);
    if (found && found.ints.length > 0) return [...found.ints.toArray()].map(String);
    if (found && found.texts.length > 0) return found.texts.map((span) => textOf(file.bytes, span));
  }
  return [];
}

function columnOf({ output, labels, width }: Candidate, wanted: string | null): number | null {
  if (width === 1) return null;
  const columns = width ?? labels?.length ?? null;
  const known = labels ?? (columns === null ? [] : Array.from({ length: columns }, (_, i) => String(i)));
  const found = known.indexOf(wanted ?? '1');
  if (found >= 0 && (wanted !== null || known.length === 2)) return found;
  if (wanted === null && known.length === 2) return 1;
  if (known.length === 0 && wanted === null) return null;
  if (known.length === 0 && /^\d{1,4}$/.test(wanted ?? '')) return Number(wanted);
  const those = known.length === 0 ? 'numbered from 0' : known.slice(0, 20).map(shown).join(', ');
  throw new ModelRefused(
    'OUTPUT_MISMATCH',
    `output ${shown(output.name)} has the classes ${those}: expected ${wanted === null ? 'two, or the positive one named' : shown(wanted)}`,
  );
}

/** From the chosen tensor to a column of probabilities. */
function outputNodes(
  chosen: ChosenOutput,
  { meaning, calibration }: ScoreContract,
  names: GraphNames,
): AddedNodes {
  const added = new AddedNodes(names, chosen.tensor);
  if (chosen.elementType !== DOUBLE) added.step('Cast', { attributes: [attribute.int('to', DOUBLE)] });
  const isSoftmax = meaning === 'LOG_ODDS' && chosen.column !== null;
  if (isSoftmax) added.step('Softmax', { attributes: [attribute.int('axis', 1)] });
  if (chosen.column !== null) {
    const second = added.constant('class', BigInt64Array.of(BigInt(chosen.column)));
    added.step('Gather', { second, attributes: [attribute.int('axis', 1)] });
  }
  added.step('Reshape', { second: added.constant('column', BigInt64Array.of(-1n, 1n)) });
  if (calibration !== null) {
    if (meaning === 'PROBABILITY' || isSoftmax) addLogit(added);
    added.step('Mul', { second: added.constant('slope', Float64Array.of(calibration.a)) });
    added.step('Add', { second: added.constant('shift', Float64Array.of(calibration.b)) });
  }
  if (calibration !== null || (meaning === 'LOG_ODDS' && !isSoftmax)) added.step('Sigmoid');
  added.step('Cast', { attributes: [attribute.int('to', FLOAT)], output: names.output });
  return added;
}

/** Log-odds of a probability, -log(1/p - 1), kept off 0 and 1 by what single precision tells apart. */
function addLogit(added: AddedNodes): void {
  added.step('Max', { second: added.constant('least', Float64Array.of(2 ** -24)) });
  added.step('Min', { second: added.constant('most', Float64Array.of(1 - 2 ** -24)) });
  added.step('Reciprocal');
  added.step('Add', { second: added.constant('minus_one', Float64Array.of(-1)) });
  added.step('Log');
  added.step('Neg');
}
