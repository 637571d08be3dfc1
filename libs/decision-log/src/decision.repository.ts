import { type Collection, type Db, type Document, MongoServerError, WriteConcern } from 'mongodb';
import {
  type DecisionKind,
  KEPT_DAYS,
  type LoggedDecision,
  type NewDecision,
  roughSize,
} from './logged-decision.js';
import type { EventOutcomes } from './event-outcomes.js';
import type { OutcomeSummary } from './outcome.js';
import { OutcomeRepository } from './outcome.repository.js';

/** Rows of earlier releases say neither on what device they were computed nor which answer they repeat. */
type Later = 'device' | 'repeats';
type DecisionDocument = Omit<LoggedDecision, 'id' | Later> &
  Partial<Pick<LoggedDecision, Later>> & { _id: string };

/** Decisions of one model version in time; `to` is exclusive. */
export interface DecisionWindow {
  /** `<model>@<version>`, or a rule's id */
  modelVersion: string;
  from: Date;
  to: Date;
}

/** A decision with all that came of it so far; null: nothing was recorded, and events show nothing. */
export interface JoinedDecision extends LoggedDecision {
  outcome: OutcomeSummary | null;
}

const BATCH_ROWS = 1_000;
/** Of one insert. A character is at most three bytes, and a command has at most 16 MiB. */
const INSERT_CHARACTERS = 4_000_000;
const INSERT_ROWS = 10_000;
const DUPLICATE_KEY = 11_000;

/** What the store answers to an insert; each row that failed is named. */
interface InsertAnswer {
  writeErrors?: { index: number; code: number; errmsg: string }[];
  writeConcernError?: { code: number; errmsg: string };
}

/** Every decision of the last 180 days with what it was decided on. */
export class DecisionRepository {
  private readonly decisions: Collection<DecisionDocument>;
  private readonly outcomes: OutcomeRepository;

  /** @param events  shows outcomes that nobody recorded; without it there are none but the recorded */
  constructor(
    private readonly db: Db,
    private readonly events: Pick<EventOutcomes, 'of'> | null = null,
  ) {
    this.decisions = db.collection('decisions');
    this.outcomes = new OutcomeRepository(db);
  }

  async ensureIndexes(): Promise<void> {
    await this.decisions.createIndexes([
      { key: { tenantId: 1, subject: 1, at: -1 }, name: 'newest_by_subject' },
      { key: { tenantId: 1, modelVersion: 1, at: 1 }, name: 'of_version_by_time' },
      { key: { at: 1 }, name: 'expire_after_180_days', expireAfterSeconds: KEPT_DAYS * 24 * 60 * 60 },
    ]);
  }

  /**
   * Stores rows; one that is there already (an attempt whose answer was lost) counts as stored. Whoever calls it tries again after an
   * error, and so the store keeps no transaction record for a retry by the driver.
   */
  async insertMany(rows: readonly NewDecision[]): Promise<void> {
    for (const part of insertsOf(rows)) await this.insert(part);
  }

  async find(tenantId: string, id: string): Promise<LoggedDecision | null> {
    const found = await this.decisions.findOne({ tenantId, _id: id });
    return found ? toDecision(found) : null;
  }

  /** Those of the decisions that the store has, in any order. */
  async findMany(tenantId: string, ids: readonly string[]): Promise<LoggedDecision[]> {
    if (ids.length === 0) return [];
    const found = await this.decisions.find({ tenantId, _id: { $in: [...ids] } }).toArray();
    return found.map(toDecision);
  }

  /** When those of the decisions were made that the store has. */
  async findKnown(tenantId: string, ids: readonly string[]): Promise<ReadonlyMap<string, Date>> {
    const found = await this.decisions
      .find({ tenantId, _id: { $in: [...new Set(ids)] } }, { projection: { at: 1 } })
      .toArray();
    return new Map(found.map(({ _id, at }) => [_id, at]));
  }

  /**
   * The decisions of a window with their outcomes, oldest first, in batches that are read as they are taken.
   *
   * @param options.withInput  also what each was decided on, which is most of its bytes; null otherwise
   */
  async *joinedBatches(
    tenantId: string,
    { modelVersion, from, to }: DecisionWindow,
    { withInput = false, batchRows = BATCH_ROWS }: { withInput?: boolean; batchRows?: number } = {},
  ): AsyncGenerator<JoinedDecision[]> {
    const cursor = this.decisions
      .find(
        { tenantId, modelVersion, at: { $gte: from, $lt: to } },
        withInput ? {} : { projection: { input: 0 } },
      )
      .sort({ at: 1 })
      .batchSize(batchRows);
    try {
      let batch: LoggedDecision[] = [];
      for await (const row of cursor) {
        if (batch.push(toDecision(row)) < batchRows) continue;
        yield await this.joined(tenantId, batch);
        batch = [];
      }
      if (batch.length > 0) yield await this.joined(tenantId, batch);
    } finally {
      await cursor.close();
    }
  }

  /** When a version decided last, of what is kept; null where it never did. */
  async lastDecidedAt(tenantId: string, modelVersion: string): Promise<Date | null> {
    const newest = await this.decisions.findOne(
      { tenantId, modelVersion },
      { sort: { at: -1 }, projection: { at: 1 } },
    );
    return newest?.at ?? null;
  }

  /** Newest first. */
  async listOfSubject(
    tenantId: string,
    subject: string,
    page: { kinds: readonly DecisionKind[]; first: number },
  ): Promise<LoggedDecision[]> {
    const found = await this.decisions
      .find({ tenantId, subject, kind: { $in: [...page.kinds] } })
      .sort({ at: -1 })
      .limit(page.first)
      .toArray();
    return found.map(toDecision);
  }

  /** The collection for change streams, and how one of its documents is read. */
  watched(): { collection: Collection<Document>; read: (document: Document) => LoggedDecision } {
    return {
      collection: this.decisions as unknown as Collection<Document>,
      read: (document) => toDecision(document as unknown as DecisionDocument),
    };
  }

  private async insert(documents: DecisionDocument[]): Promise<void> {
    const { collectionName, writeConcern } = this.decisions;
    const command: Document = { insert: collectionName, documents, ordered: false };
    if (writeConcern) WriteConcern.apply(command, writeConcern);
    const { writeErrors = [], writeConcernError } = (await this.db.command(command)) as InsertAnswer;
    const failure = writeErrors.find(({ code }) => code !== DUPLICATE_KEY) ?? writeConcernError;
    if (failure) throw new MongoServerError({ message: failure.errmsg, code: failure.code });
  }

  private async joined(tenantId: string, rows: readonly LoggedDecision[]): Promise<JoinedDecision[]> {
    const outcomes = await this.outcomes.summariesOf(
      tenantId,
      rows.map(({ id }) => id),
    );
    const shown = await this.events?.of(
      tenantId,
      rows.filter(({ id }) => !outcomes.has(id)),
    );
    return rows.map((row) => ({ ...row, outcome: outcomes.get(row.id) ?? shown?.get(row.id) ?? null }));
  }
}

function* insertsOf(rows: readonly NewDecision[]): Iterable<DecisionDocument[]> {
  let documents: DecisionDocument[] = [];
  let characters = 0;
  for (const row of rows) {
    const size = roughSize(row);
    if (documents.length === INSERT_ROWS || (documents.length > 0 && characters + size > INSERT_CHARACTERS)) {
      yield documents;
      [documents, characters] = [[], 0];
    }
    documents.push(toDocument(row));
    characters += size;
  }
  if (documents.length > 0) yield documents;
}

/** The input is stored as text: a hundred features as fields cost the store, and whoever writes them, several times as much. */
function toDocument({ id, inputJson: input, ...rest }: NewDecision): DecisionDocument {
  return { _id: id, ...rest, input };
}

function toDecision({
  _id,
  device = null,
  repeats = null,
  input = null,
  ...rest
}: DecisionDocument): LoggedDecision {
  return { id: _id, ...rest, device, repeats, input: parsed(input) };
}

/** Rows of earlier releases hold fields. */
function parsed(input: unknown): unknown {
  return typeof input === 'string' ? JSON.parse(input) : input;
}
