import { DomainError } from '@sextant/domain';
import { asDomainError } from '@sextant/platform';
import { type CustomerState, FeatureStore, NOT_RELEVANT } from '@sextant/features';

/** Customers of a read that several requests share; a request for more than that reads for itself. */
const MOST_SHARED = 100;

type Found = ReadonlyMap<string, { state: CustomerState }>;

/** A read that begins with the next turn of the event loop. */
interface PlannedRead {
  customerIds: Set<string>;
  found: Promise<Found>;
}

/**
 * The online features, read once for all customers of a batch, with a deadline of its own. What requests of one tenant ask for in the same
 * turn of the event loop is one read: for single customers the command costs more than the document.
 */
export class CustomerFeatures {
  private readonly planned = new Map<string, PlannedRead>();

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
    const found = await within(this.timeoutMs, this.read(tenantId, customerIds)).catch((error: unknown) => {
      throw asDomainError(error) ?? error;
    });
    return customerIds.map((id) => found.get(id)?.state ?? notFound());
  }

  private read(tenantId: string, customerIds: readonly string[]): Promise<Found> {
    if (customerIds.length >= MOST_SHARED) return this.store.get(tenantId, customerIds);
    const known = this.planned.get(tenantId);
    if (known && known.customerIds.size + customerIds.length <= MOST_SHARED) {
      for (const id of customerIds) known.customerIds.add(id);
      return known.found;
    }
    const own = new Set(customerIds);
    const begin = (): Promise<Found> => {
      if (this.planned.get(tenantId)?.customerIds === own) this.planned.delete(tenantId);
      return this.store.get(tenantId, [...own]);
    };
    const found = nextTurn().then(begin);
    this.planned.set(tenantId, { customerIds: own, found });
    return found;
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

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
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
