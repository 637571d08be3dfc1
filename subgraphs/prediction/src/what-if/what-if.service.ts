import type { ScoreSpec } from '@sextant/artefacts';
import type { LoggedDecision } from '@sextant/decision-log';
import { DomainError, minorUnitDigits } from '@sextant/domain';
import { toFeatureTable } from '@sextant/inference-protocol';
import { changeToBand } from '@sextant/learning/explain';
import type { InferenceService } from '../inference/inference.service.js';
import { quoteRow } from '../pricing/price.service.js';
import { inputOf } from '../replay/ask-version.js';
import { priceInput, scoreInput } from '../replay/logged-inputs.js';
import { BANDS_OF_TASK, type Band, isBand } from '../score/playbook.js';
import { type Cells, changedInput, checkActionable } from './changed-input.js';
import type { VersionContent, VersionContents } from './version-contents.js';

export interface WhatIf {
  before: number;
  after: number;
  /** `probability`, or a currency */
  unit: string;
  bandBefore: Band | null;
  bandAfter: Band | null;
  minimalChange: MinimalChange | null;
}

export interface MinimalChange {
  toBand: Band;
  changes: { column: string; from: number; to: number }[];
  after: number;
}

export interface WhatIfQuestion {
  changes: unknown;
  actionable: readonly string[] | null;
}

const DEADLINE_MS = 5_000;

/** What the version that decided would answer to another input. */
export class WhatIfService {
  constructor(
    private readonly inference: InferenceService,
    private readonly contents: VersionContents,
  ) {}

  /** @throws DomainError INVALID_INPUT naming what cannot be asked, and what replays are refused with */
  async ask(tenantId: string, decision: LoggedDecision, question: WhatIfQuestion): Promise<WhatIf> {
    const { rung, modelVersion } = decision;
    if (rung !== 'MODEL') {
      const message = `a decision on rung ${rung} was not computed from its input: ask what-if of one on rung MODEL`;
      throw new DomainError('INVALID_INPUT', message);
    }
    const at = modelVersion.lastIndexOf('@');
    const [model, version] = [modelVersion.slice(0, at), modelVersion.slice(at + 1)];
    const content = await this.contents.of(model, Number(version));
    const { spec } = content;
    const asked = { tenantId, model, version };
    switch (spec.task) {
      case 'lead':
      case 'churn':
      case 'purchase':
        return this.ofScore(asked, decision, { ...question, content, spec });
      case 'price':
        return this.ofPrice(asked, decision, { changes: question.changes, table: spec.table, spec });
      default:
        throw new DomainError('INVALID_INPUT', `what-if is for scores and prices, not for ${spec.task}`);
    }
  }

  private async ofScore(
    asked: AskedVersion,
    decision: LoggedDecision,
    { changes, actionable, content, spec }: WhatIfQuestion & { content: VersionContent; spec: ScoreSpec },
  ): Promise<WhatIf> {
    const input = inputOf(scoreInput, decision);
    const changed = changedInput(input, changes, { table: spec.table });
    if (actionable) checkActionable(spec.table, actionable);
    const aim = nextBand(decision, spec);
    const moves = aim && content.explained && movesOf(input, { actionable, content, spec, aim });
    const moved = moves && { ...input, ...Object.fromEntries(moves.map(({ column, to }) => [column, to])) };
    const rows = moved ? [input, changed, moved] : [input, changed];
    const [before, after, arrived] = await this.scores(asked, rows);
    if (!before || !after) throw new DomainError('INFERENCE_FAILED', 'the worker answered too few rows');
    // The margin is this process's arithmetic; what counts is what the version itself says.
    const isThere = aim !== null && arrived?.band === aim.band;
    return {
      before: before.probability,
      after: after.probability,
      unit: 'probability',
      bandBefore: bandOf(before.band),
      bandAfter: bandOf(after.band),
      minimalChange:
        isThere && moves ? { toBand: aim.band, changes: moves, after: arrived.probability } : null,
    };
  }

  private async ofPrice(
    { tenantId, model, version }: AskedVersion,
    decision: LoggedDecision,
    { changes, table, spec }: PriceChange,
  ): Promise<WhatIf> {
    const input = inputOf(priceInput, decision);
    const { stock, context: others } = splitStock(changes);
    const fixed = [spec.productColumn, spec.priceColumn];
    const context = changedInput(input.context, others, { table, fixed });
    const rows = [input, stock === undefined ? input : { ...input, stock }].map(quoteRow);
    const { quotes } = await this.inference.quotePrices(
      { model, version, rows, explain: false, context: toFeatureTable([input.context, context]) },
      { tenantId, deadlineMs: DEADLINE_MS, isTrial: true },
    );
    const [before = Number.NaN, after = Number.NaN] = quotes.map(
      ({ priceMinor }) => priceMinor / 10 ** minorUnitDigits(input.currency),
    );
    const none = { bandBefore: null, bandAfter: null, minimalChange: null };
    return { before, after, unit: input.currency, ...none };
  }

  private async scores({ tenantId, model, version }: AskedVersion, rows: readonly Cells[]) {
    const { scores } = await this.inference.scoreLeads(
      { model, version, rows: toFeatureTable(rows), explain: false },
      { tenantId, deadlineMs: DEADLINE_MS, isTrial: true },
    );
    return scores;
  }
}

interface AskedVersion {
  tenantId: string;
  model: string;
  version: string;
}

interface PriceChange {
  changes: unknown;
  table: ScoreSpec['table'];
  spec: { productColumn: string; priceColumn: string };
}

interface Aim {
  band: Band;
  aim: 'reach' | 'leave';
  /** where the band that is entered or left begins */
  probability: number;
}

/** The next band that is better: higher of a lead or a likelihood, lower of a risk; null in the best one. */
function nextBand({ output }: LoggedDecision, { task, bands }: ScoreSpec): Aim | null {
  const [lowest, middle, highest] = BANDS_OF_TASK[task] ?? [];
  const { band } = output;
  if (!lowest || !middle || !highest) return null;
  if (task === 'churn') {
    if (band === highest) return { band: middle, aim: 'leave', probability: bands.hot };
    return band === middle ? { band: lowest, aim: 'leave', probability: bands.warm } : null;
  }
  if (band === lowest) return { band: middle, aim: 'reach', probability: bands.warm };
  return band === middle ? { band: highest, aim: 'reach', probability: bands.hot } : null;
}

function movesOf(
  row: Cells,
  {
    actionable,
    content: { explained },
    spec,
    aim,
  }: { actionable: readonly string[] | null; content: VersionContent; spec: ScoreSpec; aim: Aim },
): MinimalChange['changes'] | null {
  const isEdge = aim.probability > 0 && aim.probability < 1;
  if (explained === null || !isEdge) return null;
  const question = { row, probability: aim.probability, aim: aim.aim, columns: actionable };
  const moves = changeToBand(explained, spec.table, question);
  return moves && moves.length > 0 ? moves : null;
}

/** `stock` is no column of the demand model, and bounds what can be sold all the same. */
function splitStock(changes: unknown): { context: unknown; stock?: number | null } {
  if (typeof changes !== 'object' || changes === null || !('stock' in changes)) return { context: changes };
  const { stock, ...context } = changes;
  if (stock === null || (typeof stock === 'number' && Number.isInteger(stock) && stock >= 0)) {
    return { context, stock };
  }
  const shown = (JSON.stringify(stock) ?? 'nothing').slice(0, 60);
  throw new DomainError('INVALID_INPUT', `changes["stock"] must be units on hand or null, got ${shown}`, {
    path: 'changes["stock"]',
  });
}

function bandOf(text: string): Band | null {
  return isBand(text) ? text : null;
}
