import { type AssignmentExample, assignmentExamples, type StoredEvent } from '@sextant/features';
import { encodeTable, tableOfRecords } from '@sextant/learning';
import { takeUpliftRows } from '@sextant/learning/uplift';
import { fitEffectEncoder, trainUplift, upliftLearners } from '@sextant/training/uplift';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SimulatedFiles, simulatedFiles } from './simulated-truth.js';

const HORIZON_DAYS = 14;
const LIMIT_MS = 200_000;

type Effects = Record<string, number>;

/** Of each assignment, by customer and campaign: what each action would really have changed. */
async function trueEffects(files: SimulatedFiles): Promise<Map<string, Effects>> {
  const effects = new Map<string, Effects>();
  for await (const line of files.truth())
    if (line['kind'] === 'retention')
      effects.set(`${String(line['customerRef'])} ${String(line['campaignId'])}`, line['uplift'] as Effects);
  return effects;
}

async function assignments(files: SimulatedFiles): Promise<AssignmentExample[]> {
  const byCustomer = new Map<string, StoredEvent[]>();
  let last = 0;
  for await (const event of files.events()) {
    const customerId = event['customerRef'] as string | undefined;
    if (customerId === undefined) continue;
    const at = new Date(String(event['at']));
    last = Math.max(last, at.getTime());
    const own = byCustomer.get(customerId) ?? [];
    own.push({ ...event, _id: String(event['id']), tenantId: 'demo', customerId, at } as StoredEvent);
    byCustomer.set(customerId, own);
  }
  const until = new Date(last + 1);
  return [...byCustomer.values()]
    .flatMap((events) => assignmentExamples(events, { horizonDays: HORIZON_DAYS, until }))
    .toSorted((a, b) => a.at.getTime() - b.at.getTime() || (a.customerId < b.customerId ? -1 : 1));
}

/** Area between the true effect gained down a ranking, a customer, and that of a random ranking. */
function trueQini(effects: readonly number[], scores: ArrayLike<number>): number {
  const order = [...effects.keys()].toSorted((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0));
  let [gained, area] = [0, 0];
  for (const i of order) {
    area += gained + (effects[i] ?? 0) / 2;
    gained += effects[i] ?? 0;
  }
  return (area / effects.length - gained / 2) / effects.length;
}

/** As the trainer does it, with the learners that need no LightGBM; every customer is ranked by a model that has not seen them. */
async function rankedBy(examples: readonly AssignmentExample[], action: string) {
  const table = tableOfRecords(examples.map(({ features }) => features));
  const { encoding } = fitEffectEncoder(table);
  const numbers = new Map([...new Set(examples.map(({ customerId }) => customerId))].map((id, i) => [id, i]));
  const taking = examples.flatMap((example, i) =>
    example.action === action || (example.action === 'none' && example.choices.includes(action)) ? [i] : [],
  );
  const data = takeUpliftRows(
    {
      rows: encodeTable(encoding, table),
      columns: encoding.features.length,
      treated: Uint8Array.from(examples, (example) => Number(example.action === action)),
      outcomes: Uint8Array.from(examples, ({ label }) => label),
      propensity: new Float64Array(examples.length).fill(0.5),
    },
    taking,
  );
  const ids = taking.map((i) => numbers.get(examples[i]?.customerId ?? '') ?? 0);
  const { scores, refused } = await trainUplift({ data, ids, learners: upliftLearners(null), seed: 42 });
  return { taking, scores, refused };
}

describe('what an action changes in a simulated company', () => {
  let files: SimulatedFiles;
  let examples: AssignmentExample[];
  let truths: Map<string, Effects>;
  beforeAll(async () => {
    files = await simulatedFiles({});
    [truths, examples] = [await trueEffects(files), await assignments(files)];
  }, LIMIT_MS);
  afterAll(() => files?.remove());

  it.each(['discount-mail', 'call'])(
    '%s: customers are ranked with at least 90 %% of the Qini of the true effects',
    { timeout: LIMIT_MS },
    async (action) => {
      const { taking, scores, refused } = await rankedBy(examples, action);
      const effects = taking.map((i) => {
        const { customerId, campaignId } = examples[i] ?? { customerId: '', campaignId: '' };
        return truths.get(`${customerId} ${campaignId}`)?.[action] ?? Number.NaN;
      });
      const share = trueQini(effects, scores) / trueQini(effects, effects);
      process.stdout.write(
        `${action}: ${share.toFixed(3)} of the oracle's Qini over ${taking.length} assignments\n`,
      );
      expect(refused).toBeNull();
      expect(taking.length).toBeGreaterThan(5_000);
      expect(effects.some((effect) => effect < 0)).toBe(true);
      expect(share).toBeGreaterThanOrEqual(0.9);
    },
  );
});
