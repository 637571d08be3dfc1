import { constant } from '../onnx-model.js';
import type { GraphNames } from './graph-names.js';

/** Nodes and constants to be added to a graph; a chain of steps, each of which reads what the one before made. */
export class AddedNodes {
  readonly nodes: object[] = [];
  readonly initializers: object[] = [];

  constructor(
    readonly names: GraphNames,
    private at: string,
  ) {}

  /** A node that does not continue the chain. */
  node(operator: string, inputs: string[], outputs: string[], attribute: object[] = []): void {
    const name = this.names.own(`node_${this.nodes.length}_${operator}`);
    this.nodes.push({ op_type: operator, name, input: inputs, output: outputs, attribute, domain: '' });
  }

  step(operator: string, options: { second?: string; attributes?: object[]; output?: string } = {}): void {
    const { second, attributes = [], output = this.names.own(`step_${this.nodes.length}`) } = options;
    this.node(operator, second === undefined ? [this.at] : [this.at, second], [output], attributes);
    this.at = output;
  }

  /** @returns its name */
  constant(name: string, values: Float64Array | BigInt64Array): string {
    const own = this.names.own(name);
    this.initializers.push(constant(own, [values.length], values));
    return own;
  }
}
