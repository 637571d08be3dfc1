import type { TypedDocument } from './generated/graph.js';

/** An error beside the data; `code` is stable, `message` is for people. */
export interface GraphError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: { readonly code?: string };
}

/** GraphQL answers are partial: `data` may be there, with nulls, beside errors. */
export interface Answer<Data> {
  readonly data: Data | null;
  readonly errors: readonly GraphError[];
}

/** Where the graph answers, and the token to call it with. */
export interface Graph {
  readonly url: string;
  readonly token: string;
  /** Sends the id of the document only: for a graph that has the manifest. */
  readonly isPersisted?: boolean;
}

/**
 * Asks one operation; data and variables have the types of its document.
 *
 * @throws Error when the answer is no GraphQL, e.g. of a proxy
 */
export async function ask<Data, Variables>(
  graph: Graph,
  document: TypedDocument<Data, Variables>,
  variables: Variables,
): Promise<Answer<Data>> {
  const body = graph.isPersisted ? { documentId: document.id } : { query: document.text };
  const response = await fetch(graph.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${graph.token}` },
    body: JSON.stringify({ ...body, operationName: document.name, variables }),
  });
  const { data = null, errors = [] } = (await response.json()) as Partial<Answer<Data>>;
  return { data, errors };
}
