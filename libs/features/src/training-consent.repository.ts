import type { Collection, Db } from 'mongodb';
import { type Consents, consentStateAt, withConsent } from './consent.js';
import { CONSENT_EVENT_TYPE, EVENTS_COLLECTION, type StoredEvent } from './stored-event.js';

/** What a tenant holds itself to where a customer said nothing. */
export interface ConsentPolicy {
  /** true: who said nothing about TRAINING is learnt from (a legitimate interest); false: only who granted it is */
  learnsFromUnknown: boolean;
}

/** Of a tenant that never set one. */
export const DEFAULT_CONSENT_POLICY: ConsentPolicy = { learnsFromUnknown: true };

/** Whom a training run may learn from, as of the moment it was asked. */
export interface TrainingConsent {
  readonly allows: (customerId: string) => boolean;
}

type PolicyDocument = ConsentPolicy & { _id: string; tenantId: string };

/** Who agreed to be learnt from: the policy of a tenant, and what its customers said in their events. */
export class TrainingConsents {
  private readonly policies: Collection<PolicyDocument>;
  private readonly events: Collection<StoredEvent>;

  constructor(db: Db) {
    this.policies = db.collection('consent_policies');
    this.events = db.collection(EVENTS_COLLECTION);
  }

  /** The default where nobody set one. */
  async findPolicy(tenantId: string): Promise<ConsentPolicy> {
    const found = await this.policies.findOne({ _id: tenantId, tenantId });
    return { learnsFromUnknown: found?.learnsFromUnknown ?? DEFAULT_CONSENT_POLICY.learnsFromUnknown };
  }

  async savePolicy(tenantId: string, policy: ConsentPolicy): Promise<void> {
    await this.policies.replaceOne({ _id: tenantId, tenantId }, { tenantId, ...policy }, { upsert: true });
  }

  /**
   * Read from the events, so that what was stored a moment ago counts although nothing folded it yet, and read whole: also
   * what was said after the period that a run learns from decides.
   *
   * @param now  grants that ran out by then do not count
   */
  async read(tenantId: string, now: Date): Promise<TrainingConsent> {
    const [{ learnsFromUnknown }, said] = await Promise.all([
      this.findPolicy(tenantId),
      this.saidAboutTraining(tenantId),
    ]);
    const decided = learnsFromUnknown ? 'DENIED' : 'GRANTED';
    const customers = new Set<string>();
    for (const [customerId, { TRAINING }] of said)
      if (consentStateAt(TRAINING, now) === decided) customers.add(customerId);
    return { allows: (customerId) => customers.has(customerId) !== learnsFromUnknown };
  }

  private async saidAboutTraining(tenantId: string): Promise<Map<string, Consents>> {
    const said = new Map<string, Consents>();
    const cursor = this.events
      .find(
        { tenantId, type: CONSENT_EVENT_TYPE, 'properties.purpose': 'TRAINING' },
        { projection: { customerId: 1, at: 1, properties: 1 } },
      )
      .sort({ customerId: 1, at: 1 });
    for await (const { customerId = '', at, properties } of cursor)
      said.set(customerId, withConsent(said.get(customerId) ?? {}, { at, properties }));
    return said;
  }
}
