import { DomainError } from '@sextant/domain';
import { asDomainError } from '@sextant/platform';
import { type CustomerState, FeatureStore, NOT_RELEVANT } from '@sextant/features';

/** The online features, read once for all customers of a batch, with a deadline of its own. */
export class CustomerFeatures {
  constructor(
    private readonly store: FeatureStore,
    private readonly timeoutMs: number,
  ) {}

  /**
   * States in the order of the ids; CUSTOMER_NOT_FOUND in the place of an id that this tenant does not have.
   *
   * @throws DomainError STORE_UNAVAILABLE or STORE_DEADLINE_EXCEEDED
   */
  async statesOf(tenantId: string, customerIds: readonly string[]): Promise<(CustomerState | DomainError)[]> {
    const found = await within(this.timeoutMs, this.store.get(tenantId, customerIds)).catch(
      (error: unknown) => {
        throw asDomainError(error) ?? error;
      },
    );
    return customerIds.map((id) => found.get(id)?.state ?? notFound());
  }
}

/** What recommendations read of a customer, as the trainer does. */
export interface KnownProducts {
  /** each once at its latest occurrence, oldest first */
  history: readonly string[];
  /** met, but never with approval (`relevant: false`): no evidence of taste, and not to be shown again */
  disliked: readonly string[];
}

export function knownProductsOf({ interactions: { productIds, kinds } }: CustomerState): KnownProducts {
  const liked = latestFirst(productIds, (i) => kinds[i] !== NOT_RELEVANT);
  const history = [...liked].reverse();
  if (!kinds.includes(NOT_RELEVANT)) return { history, disliked: [] };
  const others = latestFirst(productIds, (i) => !liked.has(productIds[i] ?? ''));
  return { history, disliked: [...others].reverse() };
}

function latestFirst(productIds: readonly string[], isWanted: (i: number) => boolean): Set<string> {
  const found = new Set<string>();
  for (let i = productIds.length - 1; i >= 0; i -= 1) if (isWanted(i)) found.add(productIds[i] ?? '');
  return found;
}

/** Each value once, at its last position. */
export function distinctLatest(values: readonly string[]): string[] {
  return [...new Set(values.toReversed())].reverse();
}

function notFound(): DomainError {
  return new DomainError(
    'CUSTOMER_NOT_FOUND',
    'this tenant has no such customer, or no event of theirs has been processed yet',
  );
}

/** The driver's own time-outs are longer than a page can wait; its late answer is of no use to anyone. */
export async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const end = (): void =>
      reject(new DomainError('STORE_DEADLINE_EXCEEDED', 'the store did not answer in time; try again'));
    timer = setTimeout(end, timeoutMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
