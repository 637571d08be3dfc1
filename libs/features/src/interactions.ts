import { numberOf, orderLinesOf, type StoredEvent, textOf } from './stored-event.js';

export type InteractionKind = 'view' | 'order' | 'interaction';

/** That a customer had to do with a product: what recommendations learn from, in training and in serving. */
export interface Interaction {
  productId: string;
  /** milliseconds since 1970 */
  at: number;
  kind: InteractionKind;
  /** units of an order line, the `value` of an interaction (a rating, plays; 1 when absent), 1 for a view */
  value: number;
  /** false when the event says `relevant: false`, e.g. a rating that tells of dislike */
  relevant: boolean;
}

/** Interactions in columns, oldest first: a thousand of them are read in a fraction of the time that objects take. */
export interface InteractionColumns {
  productIds: string[];
  /** milliseconds since 1970 */
  at: number[];
  /** one letter each: v view, o order, i interaction, n interaction that is not relevant */
  kinds: string;
  values: number[];
}

/** Newest interactions kept for each customer. */
export const MAX_INTERACTIONS = 1_000;

/** The letter, among the kinds of columns, of an interaction that is not relevant. */
export const NOT_RELEVANT = 'n';

const LETTERS = { view: 'v', order: 'o', interaction: 'i' } as const satisfies Record<
  InteractionKind,
  string
>;
const KINDS: Readonly<Record<string, InteractionKind>> = {
  v: 'view',
  o: 'order',
  i: 'interaction',
  n: 'interaction',
};

/** What one event says about products: `product_view`, each line of an `order`, `interaction`; nothing for other types. */
export function interactionsOf(event: StoredEvent): Interaction[] {
  const at = event.at.getTime();
  if (event.type === 'order') {
    return orderLinesOf(event).map(({ productId, quantity }) => ({
      productId,
      at,
      kind: 'order',
      value: quantity,
      relevant: true,
    }));
  }
  if (event.type !== 'product_view' && event.type !== 'interaction') return [];
  const productId = textOf(event.properties['productId']);
  if (productId === null) return [];
  if (event.type === 'product_view') return [{ productId, at, kind: 'view', value: 1, relevant: true }];
  const relevant = event.properties['relevant'] !== false;
  return [{ productId, at, kind: 'interaction', value: numberOf(event.properties['value']) ?? 1, relevant }];
}

export function noInteractions(): InteractionColumns {
  return { productIds: [], at: [], kinds: '', values: [] };
}

/** Appends in place; the caller trims once, with {@link trimInteractions}. */
export function appendInteraction(columns: InteractionColumns, interaction: Interaction): void {
  columns.productIds.push(interaction.productId);
  columns.at.push(interaction.at);
  columns.kinds +=
    interaction.kind === 'interaction' && !interaction.relevant ? NOT_RELEVANT : LETTERS[interaction.kind];
  columns.values.push(interaction.value);
}

/** Keeps the newest {@link MAX_INTERACTIONS}, in place. */
export function trimInteractions(columns: InteractionColumns): void {
  const excess = columns.productIds.length - MAX_INTERACTIONS;
  if (excess <= 0) return;
  columns.productIds.splice(0, excess);
  columns.at.splice(0, excess);
  columns.values.splice(0, excess);
  columns.kinds = columns.kinds.slice(excess);
}

/** The columns as rows, oldest first. */
export function interactionRows(columns: InteractionColumns): Interaction[] {
  return columns.productIds.map((productId, i) => {
    const letter = columns.kinds[i] ?? 'v';
    const kind = KINDS[letter] ?? 'view';
    return {
      productId,
      at: columns.at[i] ?? 0,
      kind,
      value: columns.values[i] ?? 1,
      relevant: letter !== NOT_RELEVANT,
    };
  });
}
