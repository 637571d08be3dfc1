import type { Collection, Db, Document } from 'mongodb';

/** How a challenger does against the live version: on the same decisions, and in traffic. */
export interface Challenge {
  tenantId: string;
  /** `<model>@<version>` */
  versionId: string;
  /** the live version it is compared with */
  championId: string;
  /** on decisions of which the outcome is known; null without any */
  outcomes: {
    decisions: number;
    /** mean squared error of the challenger less the champion's; the interval holds however often one looks */
    difference: number;
    low: number;
    high: number;
    level: number;
    verdict: 'BETTER' | 'WORSE' | 'UNDECIDED';
  } | null;
  /** of the guard: CONTENT, TOO_LITTLE or STOP */
  judgement: 'CONTENT' | 'TOO_LITTLE' | 'STOP';
  /** one English sentence with the figures */
  sentence: string;
  at: Date;
}

type ChallengeDocument = Omit<Challenge, 'versionId'> & { _id: string };

/** The newest judgement of each challenger, kept with its version; written by the trainer, read by the prediction subgraph. */
export class Challenges {
  private readonly challenges: Collection<ChallengeDocument>;

  constructor(db: Db) {
    this.challenges = db.collection('model_challenges');
  }

  async save({ versionId, ...challenge }: Challenge): Promise<void> {
    const { tenantId } = challenge;
    await this.challenges.replaceOne({ _id: versionId, tenantId }, challenge, { upsert: true });
  }

  /** Of versions that were never challengers there is none. */
  async findMany(tenantId: string, versionIds: readonly string[]): Promise<Map<string, Challenge>> {
    const found = await this.challenges.find({ tenantId, _id: { $in: [...versionIds] } }).toArray();
    return new Map(found.map((document) => [document._id, toChallenge(document)]));
  }

  /** The collection for change streams, and how one of its documents is read. */
  watched(): { collection: Collection<Document>; read: (document: Document) => Challenge } {
    return {
      collection: this.challenges as unknown as Collection<Document>,
      read: (document) => toChallenge(document as unknown as ChallengeDocument),
    };
  }
}

function toChallenge({ _id, ...rest }: ChallengeDocument): Challenge {
  return { versionId: _id, ...rest };
}
