import type { CustomerState } from '@sextant/features';
import { type KnownProducts, knownProductsOf } from '../customer/customer-features.service.js';

/** For whom: a customer, whose history is in the store, a session, which brings its own, or whoever looks at one product. */
export type Audience =
  { customerId: string } | { anonymousRef: string; viewed: readonly string[] } | { productId: string };

/** Reads the states of one tenant's customers; an error in the place of one that has none. */
export type StateReader = (customerIds: readonly string[]) => Promise<readonly (CustomerState | Error)[]>;

export const NOTHING_KNOWN: KnownProducts = { history: [], disliked: [] };

export function isSession(audience: Audience): boolean {
  return 'anonymousRef' in audience;
}

/** Whom or what a decision is about. */
export function subjectOf(audience: Audience): string {
  if ('customerId' in audience) return audience.customerId;
  return 'productId' in audience ? audience.productId : audience.anonymousRef;
}

/** Distinguishes audiences inside one tenant. */
export function audienceKey(audience: Audience): readonly string[] {
  if ('customerId' in audience) return ['customer', audience.customerId];
  if ('productId' in audience) return ['product', audience.productId];
  return ['session', audience.anonymousRef, ...audience.viewed];
}

/** The product that is being looked at, which is no recommendation; those before it in a session may be. */
export function inView(audience: Audience): readonly string[] {
  if ('customerId' in audience) return [];
  return 'productId' in audience ? [audience.productId] : audience.viewed.slice(-1);
}

/** What is known of each audience, in order; an error in the place of a customer who cannot be read. */
export async function knownProducts(
  audiences: readonly Audience[],
  readStates: StateReader,
): Promise<(KnownProducts | Error)[]> {
  const customerIds = audiences.flatMap((audience) =>
    'customerId' in audience ? [audience.customerId] : [],
  );
  const states = await readStates(customerIds);
  const stateOf = new Map(customerIds.map((id, i) => [id, states[i]]));
  return audiences.map((audience) => {
    if ('productId' in audience) return { history: [audience.productId], disliked: [] };
    if ('viewed' in audience) return { history: audience.viewed, disliked: [] };
    const state = stateOf.get(audience.customerId) ?? new RangeError('a customer was not read');
    return state instanceof Error ? state : knownProductsOf(state);
  });
}
