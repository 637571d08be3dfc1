import { encodeCursor } from './cursor.js';

/** One row of a page and where it stands. */
export interface Edge<T> {
  node: T;
  /** as `after` it leads to the rows behind this one */
  cursor: string;
}

/** Where a page stands in its list, in the words of the Relay specification. */
export interface PageInfo {
  hasNextPage: boolean;
  /** known to be true of pages that were asked for by `after` */
  hasPreviousPage: boolean;
  startCursor: string | null;
  endCursor: string | null;
}

/** A page of a cursor connection; edges and what Relay wants to know of it are computed when they are asked for. */
export class Page<T> {
  readonly #keyOf: (row: T) => readonly (string | number)[];
  readonly #isFirst: boolean;
  /** null on an empty page */
  readonly endCursor: string | null;

  constructor(
    readonly nodes: T[],
    /** whether the list goes on */
    readonly hasNextPage: boolean,
    place: { keyOf: (row: T) => readonly (string | number)[]; isFirst: boolean },
  ) {
    this.#keyOf = place.keyOf;
    this.#isFirst = place.isFirst;
    this.endCursor = this.#cursorOf(nodes.at(-1));
  }

  edges(): Edge<T>[] {
    return this.nodes.map((node) => ({ node, cursor: encodeCursor(this.#keyOf(node)) }));
  }

  pageInfo(): PageInfo {
    const { nodes, hasNextPage, endCursor } = this;
    return { hasNextPage, endCursor, hasPreviousPage: !this.#isFirst, startCursor: this.#cursorOf(nodes[0]) };
  }

  #cursorOf(row: T | undefined): string | null {
    return row === undefined ? null : encodeCursor(this.#keyOf(row));
  }
}

/**
 * A page out of `limit + 1` rows: the last one only tells that there is more.
 *
 * @param page.after  the cursor that the page was asked for with
 * @param page.keyOf  the sort key of a row, of which its cursor is made
 */
export function pageOf<T>(
  rows: readonly T[],
  page: { limit: number; after?: string | null | undefined; keyOf: (row: T) => readonly (string | number)[] },
): Page<T> {
  const { limit, after, keyOf } = page;
  return new Page(rows.slice(0, limit), rows.length > limit, { keyOf, isFirst: after == null });
}
