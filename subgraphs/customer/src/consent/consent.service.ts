import { isDeepStrictEqual } from 'node:util';
import { DomainError } from '@sextant/domain';
import { Inject, Injectable } from '@nestjs/common';
import {
  CONSENT_EVENT_TYPE,
  type ConsentState,
  customerIdOf,
  type Purpose,
  type StoredEvent,
} from '@sextant/features';
import { CustomerRepository } from '../customers/customer.repository.js';
import { EventRepository } from '../ingestion/event.repository.js';
import { IngestionService } from '../ingestion/ingestion.service.js';
import { type Surroundings, SURROUNDINGS } from '../surroundings.js';

export interface SetConsentInput {
  customerRef: string;
  purpose: Purpose;
  state: ConsentState;
  lawfulBasis?: string | null;
  expiresAt?: Date | null;
  proof?: string | null;
  idempotencyKey?: string | null;
}

const MAX_KEY = 128;
const SOURCE = 'sextant';

/** What customers say about purposes; kept as events, so that nothing that was said is lost. */
@Injectable()
export class ConsentService {
  constructor(
    private readonly ingestion: IngestionService,
    private readonly events: EventRepository,
    private readonly customers: CustomerRepository,
    @Inject(SURROUNDINGS) private readonly surroundings: Surroundings,
  ) {}

  /**
   * Writes what a known customer said. It is dated now, or just after the last word about the purpose where that is dated
   * ahead, so that it counts.
   *
   * @returns the customer's id
   * @throws DomainError CUSTOMER_NOT_FOUND, INVALID_INPUT, IDEMPOTENCY_CONFLICT, or what ingestion throws
   */
  async set(tenantId: string, input: SetConsentInput): Promise<string> {
    const { customerRef, purpose, idempotencyKey } = input;
    const customerId = customerIdOf(tenantId, customerRef);
    const [known] = await this.customers.findByIds(tenantId, [customerId]);
    if (!known) {
      throw new DomainError(
        'CUSTOMER_NOT_FOUND',
        'no event ever named this customerRef; send a consent_changed event through ingestEvents for somebody new',
        { path: 'customerRef' },
      );
    }
    const id = eventIdFor(idempotencyKey);
    const properties = propertiesOf(input);
    const earlier = idempotencyKey ? (await this.events.findByIds(tenantId, [id]))[0] : undefined;
    if (earlier) return sameAs(earlier, customerId, properties);
    const lastAt = await this.events.lastConsentAt(tenantId, customerId, purpose);
    const nowMs = this.surroundings.clock.now().getTime();
    const at = new Date(Math.max(nowMs, (lastAt ?? -Infinity) + 1)).toISOString();
    const row = { id, type: CONSENT_EVENT_TYPE, at, customerRef, source: SOURCE, properties };
    const { rejected } = await this.ingestion.ingest(tenantId, [row]);
    const [fault] = rejected;
    if (fault)
      throw new DomainError('INVALID_INPUT', fault.message.replace(/^properties\./, ''), {
        path: fault.path.replace(/^properties\./, ''),
      });
    return customerId;
  }
}

function eventIdFor(idempotencyKey: string | null | undefined): string {
  if (idempotencyKey == null) return `consent-${crypto.randomUUID()}`;
  if (idempotencyKey.length >= 1 && idempotencyKey.length <= MAX_KEY) return `consent-key-${idempotencyKey}`;
  throw new DomainError('INVALID_INPUT', `idempotencyKey must have 1 to ${MAX_KEY} characters`, {
    path: 'idempotencyKey',
  });
}

function propertiesOf({ purpose, state, lawfulBasis, expiresAt, proof }: SetConsentInput) {
  return {
    purpose,
    state,
    ...(lawfulBasis != null && { lawfulBasis }),
    ...(expiresAt != null && { expiresAt: expiresAt.toISOString() }),
    ...(proof != null && { proof }),
  };
}

function sameAs(earlier: StoredEvent, customerId: string, properties: object): string {
  if (earlier.customerId === customerId && isDeepStrictEqual(earlier.properties, properties))
    return customerId;
  throw new DomainError(
    'IDEMPOTENCY_CONFLICT',
    'this idempotency key was used for another consent; use a new one',
    { path: 'idempotencyKey' },
  );
}
