import { randomUUID } from 'node:crypto';
import { type Clock, systemClock } from '@sextant/domain';
import { type Collection, type Db, MongoServerError } from 'mongodb';

interface LeaseDocument {
  /** what is held */
  _id: string;
  holder: string;
  until: Date;
}

const DUPLICATE_KEY = 11_000;

/**
 * At most one of several processes does a thing: who holds the lease. It is no lock: a holder that was held up may find itself beside the
 * next one, so what is done under it must bear being done twice.
 */
export class StoreLease {
  private readonly leases: Collection<LeaseDocument>;
  private readonly holder = randomUUID();

  /** @param name  of what is done, e.g. `continuous-training` */
  constructor(
    db: Db,
    private readonly name: string,
    private readonly leaseMs: number,
    private readonly clock: Clock = systemClock,
  ) {
    this.leases = db.collection('leases');
  }

  /** Takes the lease or renews it. @returns false while another process holds it */
  async hold(): Promise<boolean> {
    const { name: _id, holder } = this;
    const now = this.clock.now();
    const until = new Date(now.getTime() + this.leaseMs);
    try {
      await this.leases.updateOne(
        { _id, $or: [{ holder }, { until: { $lte: now } }] },
        { $set: { holder, until } },
        { upsert: true },
      );
      return true;
    } catch (error) {
      // The document is there and did not match: somebody else's.
      if (error instanceof MongoServerError && error.code === DUPLICATE_KEY) return false;
      throw error;
    }
  }

  /** Lets another process go on at once. */
  async release(): Promise<void> {
    await this.leases.deleteOne({ _id: this.name, holder: this.holder });
  }
}
