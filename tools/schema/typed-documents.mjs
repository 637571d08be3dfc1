// The part of the generated file that is ours: each operation as a value that carries its types, its text and the id of its persisted form.

/** A plugin in the sense of graphql-codegen. @param config.operations  those of readOperations */
export function plugin(_schema, _documents, { operations }) {
  return { prepend: [HEADER], content: operations.map(documentOf).join('\n') };
}

const HEADER = `// Written by npm run codegen from the .graphql files of the operations.

/** An operation with the types of what it answers and asks for. Send \`id\` where it is registered, else \`text\`. */
export interface TypedDocument<Data, Variables> {
  readonly id: string;
  readonly name: string;
  readonly text: string;
  /** Only for the compiler. */
  readonly types?: { readonly data: Data; readonly variables: Variables };
}

/** One event; its fields are described at \`EventInput\` in the schema. */
export interface EventInput {
  readonly id: string;
  readonly type: string;
  readonly at: string;
  readonly customerRef?: string | null;
  readonly properties?: Readonly<Record<string, unknown>> | null;
  readonly source?: string | null;
}
`;

function documentOf({ name, type, id, body }) {
  const types = `${pascal(name)}${pascal(type)}`;
  return `
export const ${pascal(name)}Document: TypedDocument<${types}, ${types}Variables> = {
  id: '${id}',
  name: '${name}',
  text: ${JSON.stringify(body)},
};`;
}

const pascal = (name) => `${name[0].toUpperCase()}${name.slice(1)}`;
