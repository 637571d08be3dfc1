import {
  type ConstDirectiveNode,
  type DocumentNode,
  type FieldDefinitionNode,
  type InputValueDefinitionNode,
  Kind,
  parse,
  type TypeNode,
  valueFromASTUntyped,
} from 'graphql';

/** How long a list is: `@listSize` of federation, and `@demand(sizedBy:)` of ours. */
export interface ListSize {
  assumed: number | null;
  /** arguments of whole numbers, the largest counts */
  slicing: readonly string[];
  /** a list argument; at most one entry for each of its values */
  sizedBy: string | null;
  /** fields of the value that have this size, in place of the field itself */
  sizedFields: readonly string[];
}

/** What the supergraph says about the cost of a field. */
export interface FieldDemand {
  /** `@cost` of the field; null: that of its type */
  weight: number | null;
  /** rows that the inference workers compute for one value */
  rows: number;
  size: ListSize | null;
  /** by name, only those that cost something */
  arguments: ReadonlyMap<string, InputDemand>;
}

/** What a value costs that a client sends: of a list each entry. */
export interface InputDemand {
  weight: number;
  /** costs of fields, for an input object that has any */
  fields: ReadonlyMap<string, InputDemand> | null;
}

/** What each field, type and argument of a supergraph costs, as its directives say. */
export class CostTable {
  private readonly fields = new Map<string, FieldDemand>();
  private readonly types = new Map<string, number>();
  private readonly interfacesOf = new Map<string, readonly string[]>();
  private readonly inputs = new Map<string, Map<string, InputDemand>>();

  /** @param sdl  a composed supergraph; where it links no cost specification, everything has its default */
  constructor(sdl: string) {
    const document = parse(sdl);
    const names = directiveNames(document);
    const reader = new DirectiveReader(names);
    for (const definition of document.definitions) {
      if (!('name' in definition) || !definition.name || !('directives' in definition)) continue;
      const weight = reader.weight(definition.directives as readonly ConstDirectiveNode[] | undefined);
      if (weight !== null) this.types.set(definition.name.value, weight);
    }
    this.readInputs(document, reader);
    for (const definition of document.definitions) {
      if (
        definition.kind !== Kind.OBJECT_TYPE_DEFINITION &&
        definition.kind !== Kind.INTERFACE_TYPE_DEFINITION
      )
        continue;
      const type = definition.name.value;
      this.interfacesOf.set(type, definition.interfaces?.map(({ name }) => name.value) ?? []);
      for (const field of definition.fields ?? []) this.readField(type, field, reader);
    }
  }

  /** Of a field as an object type has it: what that type says, else what an interface of it says. */
  demandOf(type: string, field: string): FieldDemand {
    const own = this.fields.get(`${type}.${field}`);
    if (own?.size) return own;
    const inherited = (this.interfacesOf.get(type) ?? [])
      .map((name) => this.fields.get(`${name}.${field}`))
      .find((demand) => demand?.size);
    if (!own) return inherited ?? NOTHING;
    return inherited ? { ...own, size: inherited.size } : own;
  }

  /** `@cost` of an object, scalar or enum. */
  weightOf(type: string): number | null {
    return this.types.get(type) ?? null;
  }

  private readField(type: string, field: FieldDefinitionNode, reader: DirectiveReader): void {
    const weight = reader.weight(field.directives);
    const { size, rows } = reader.demand(field.directives);
    const given = (field.arguments ?? []).flatMap((argument): [string, InputDemand][] => {
      const demand = this.inputDemand(argument, reader);
      return demand ? [[argument.name.value, demand]] : [];
    });
    if (weight === null && rows === 0 && !size && given.length === 0) return;
    this.fields.set(`${type}.${field.name.value}`, { weight, rows, size, arguments: new Map(given) });
  }

  /** Costs of input fields; those of an object that holds others are found when they are read, so order does not matter. */
  private readInputs(document: DocumentNode, reader: DirectiveReader): void {
    const objects = document.definitions.filter(({ kind }) => kind === Kind.INPUT_OBJECT_TYPE_DEFINITION);
    for (let grown = true; grown;) {
      grown = false;
      for (const object of objects) {
        if (object.kind !== Kind.INPUT_OBJECT_TYPE_DEFINITION) continue;
        for (const field of object.fields ?? []) {
          const demand = this.inputDemand(field, reader);
          const known = this.inputs.get(object.name.value) ?? new Map<string, InputDemand>();
          if (!demand || known.has(field.name.value)) continue;
          this.inputs.set(object.name.value, known.set(field.name.value, demand));
          grown = true;
        }
      }
    }
  }

  private inputDemand(input: InputValueDefinitionNode, reader: DirectiveReader): InputDemand | null {
    const type = namedType(input.type);
    const weight = reader.weight(input.directives) ?? this.types.get(type) ?? 0;
    const fields = this.inputs.get(type) ?? null;
    return weight === 0 && !fields ? null : { weight, fields };
  }
}

const NOTHING: FieldDemand = { weight: null, rows: 0, size: null, arguments: new Map() };

/** What one value costs, entry by entry where it is a list. */
export function costOfInput({ weight, fields }: InputDemand, value: unknown): number {
  if (value === null || value === undefined) return 0;
  if (Array.isArray(value)) {
    if (!fields) return weight * value.length;
    return value.reduce<number>((sum, entry) => sum + costOfInput({ weight, fields }, entry), 0);
  }
  let cost = weight;
  if (fields && typeof value === 'object')
    for (const [name, demand] of fields)
      cost += costOfInput(demand, (value as Record<string, unknown>)[name]);
  return cost;
}

/** What the directives are called in this supergraph. */
interface DirectiveNames {
  cost: string;
  listSize: string;
  demand: string;
}

class DirectiveReader {
  constructor(private readonly names: DirectiveNames) {}

  weight(directives: readonly ConstDirectiveNode[] | undefined): number | null {
    const weight = argumentsOf(directives, this.names.cost)?.['weight'];
    return weight === undefined ? null : Math.max(0, Number(weight));
  }

  demand(directives: readonly ConstDirectiveNode[] | undefined): { size: ListSize | null; rows: number } {
    const listSize = argumentsOf(directives, this.names.listSize);
    const demand = argumentsOf(directives, this.names.demand);
    const rows = Math.max(0, Number(demand?.['rows'] ?? 0));
    const sizedBy = typeof demand?.['sizedBy'] === 'string' ? demand['sizedBy'] : null;
    if (!listSize && sizedBy === null) return { size: null, rows };
    const assumed = listSize?.['assumedSize'];
    const size = {
      assumed: typeof assumed === 'number' ? assumed : null,
      slicing: (listSize?.['slicingArguments'] ?? []) as string[],
      sizedFields: (listSize?.['sizedFields'] ?? []) as string[],
      sizedBy,
    };
    return { size, rows };
  }
}

const COST_SPECIFICATION = /^https:\/\/specs\.apollo\.dev\/cost\/v0\.\d+$/;
const DEMAND_SPECIFICATION = /^https:\/\/sextant\.invalid\/demand\/v0\.\d+$/;

/** A specification's directive is called as it is imported, else by the specification's name and its own. */
function directiveNames(document: DocumentNode): DirectiveNames {
  const names = { cost: 'cost', listSize: 'cost__listSize', demand: 'demand' };
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.SCHEMA_DEFINITION && definition.kind !== Kind.SCHEMA_EXTENSION) continue;
    for (const link of definition.directives ?? []) {
      const { url, as, import: imports } = argumentsOf([link], 'link') ?? {};
      const imported = importedNames(imports);
      if (COST_SPECIFICATION.test(String(url))) {
        const prefix = typeof as === 'string' ? as : 'cost';
        names.cost = imported.get('@cost') ?? prefix;
        names.listSize = imported.get('@listSize') ?? `${prefix}__listSize`;
      }
      if (DEMAND_SPECIFICATION.test(String(url)))
        names.demand = imported.get('@demand') ?? (typeof as === 'string' ? as : 'demand');
    }
  }
  return names;
}

function importedNames(imports: unknown): Map<string, string> {
  const entries = (Array.isArray(imports) ? imports : []).map((entry: unknown): [string, string] => {
    if (typeof entry === 'string') return [entry, entry.slice(1)];
    const { name, as } = entry as { name: string; as?: string };
    return [name, (as ?? name).slice(1)];
  });
  return new Map(entries);
}

function argumentsOf(
  directives: readonly ConstDirectiveNode[] | undefined,
  name: string,
): Record<string, unknown> | null {
  const directive = directives?.find((candidate) => candidate.name.value === name);
  if (!directive) return null;
  return Object.fromEntries(
    (directive.arguments ?? []).map((argument) => [argument.name.value, valueFromASTUntyped(argument.value)]),
  );
}

function namedType(type: TypeNode): string {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : namedType(type.type);
}
