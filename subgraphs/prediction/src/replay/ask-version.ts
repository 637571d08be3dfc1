import type { LoggedDecision } from '@sextant/decision-log';
import { DomainError } from '@sextant/domain';
import { toFeatureTable } from '@sextant/inference-protocol';
import type { z } from 'zod';
import type { Ask, InferenceService } from '../inference/inference.service.js';
import { customerRows, estimatesOf } from '../lifetime/value-forecast.service.js';
import { chooseNextAction } from '../next-action/choose-next-action.js';
import { effectsOf } from '../next-action/next-action.service.js';
import { quoteRow, shownOf } from '../pricing/price.service.js';
import { slateOutput } from '../recommendation/recommendation.service.js';
import { scoreOutput } from '../score/score.service.js';
import { SCORE_PROFILES } from '../score/score-task.js';
import {
  actionInput,
  priceInput,
  scoreInput,
  type SlateInput,
  slateInput,
  valueInput,
} from './logged-inputs.js';

/** A decision to be made again. */
export interface ReplayRow {
  decision: LoggedDecision;
  /** the decision whose answer it gave: itself, or an earlier one on rung CACHE */
  source: LoggedDecision;
}

/** What a version answers now, as the log keeps answers. */
export interface VersionAnswers {
  outputs: Record<string, unknown>[];
  device: string;
}

export interface AskedVersion {
  inference: InferenceService;
  model: string;
  version: string;
  ask: Ask;
}

/** Puts logged inputs of one kind to one version. @throws DomainError DECISION_NOT_REPLAYABLE, and what the workers refuse with */
export function askVersion(asked: AskedVersion, rows: readonly ReplayRow[]): Promise<VersionAnswers> {
  const kind = rows[0]?.source.kind ?? 'lead';
  switch (kind) {
    case 'recommend':
      return askForSlates(asked, rows);
    case 'price':
      return askForQuotes(asked, rows);
    case 'lifetime':
      return askForValues(asked, rows);
    case 'uplift':
      return askForEffects(asked, rows);
    case 'lead':
    case 'churn':
    case 'purchase':
      return askForScores(asked, rows, kind);
  }
}

/** @throws DomainError DECISION_NOT_REPLAYABLE when the log does not hold what a replay needs */
export function inputOf<S extends z.ZodType>(schema: S, { id, input }: LoggedDecision): z.output<S> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const missing = parsed.error.issues[0]?.path.join('.') ?? '';
  throw notReplayable(id, `its logged input lacks ${missing === '' ? 'everything' : `"${missing}"`}`);
}

export function notReplayable(id: string, reason: string): DomainError {
  return new DomainError('DECISION_NOT_REPLAYABLE', `decision ${id} cannot be made again: ${reason}`);
}

const INPUTS = {
  recommend: slateInput,
  price: priceInput,
  lifetime: valueInput,
  uplift: actionInput,
  lead: scoreInput,
  churn: scoreInput,
  purchase: scoreInput,
} satisfies Record<LoggedDecision['kind'], z.ZodType>;
/** Kinds whose answer also follows from what was so when it was given again. */
const READ_ANEW: readonly LoggedDecision['kind'][] = ['price', 'uplift'];

/** The row, when the log holds all of it. @throws DomainError DECISION_NOT_REPLAYABLE */
export function replayable(row: ReplayRow): ReplayRow {
  const { source, decision } = row;
  inputOf(INPUTS[source.kind], source);
  if (READ_ANEW.includes(decision.kind)) inputOf(INPUTS[decision.kind], decision);
  return row;
}

/** As the worker is asked for a slate. */
export function slateRowOf({ history, disliked, exclude, inView, first, sums = 0 }: SlateInput) {
  return { history, exclude: [...exclude, ...disliked, ...inView], first, sums };
}

async function askForScores(
  { inference, model, version, ask }: AskedVersion,
  rows: readonly ReplayRow[],
  kind: 'lead' | 'churn' | 'purchase',
): Promise<VersionAnswers> {
  const table = toFeatureTable(rows.map(({ source }) => inputOf(scoreInput, source)));
  const { scores, servedBy } = await inference.scoreLeads(
    { model, version, rows: table, explain: false },
    ask,
  );
  return {
    outputs: scores.map((score) => scoreOutput(score, SCORE_PROFILES[kind])),
    device: servedBy.device,
  };
}

async function askForQuotes(
  { inference, model, version, ask }: AskedVersion,
  rows: readonly ReplayRow[],
): Promise<VersionAnswers> {
  const inputs = rows.map(({ source }) => inputOf(priceInput, source));
  const { quotes, servedBy } = await inference.quotePrices(
    {
      ...{ model, version, explain: false },
      rows: inputs.map(quoteRow),
      context: toFeatureTable(inputs.map(({ context }) => context)),
    },
    ask,
  );
  const outputs = rows.map(({ decision }, i) => {
    const quote = quotes[i];
    return quote ? shownOf(quote, inputOf(priceInput, decision)) : {};
  });
  return { outputs, device: servedBy.device };
}

async function askForValues(
  { inference, model, version, ask }: AskedVersion,
  rows: readonly ReplayRow[],
): Promise<VersionAnswers> {
  const inputs = rows.map(({ source }) => inputOf(valueInput, source));
  const response = await inference.forecastValue({ model, version, customers: customerRows(inputs) }, ask);
  return { outputs: estimatesOf(response).map((each) => ({ ...each })), device: response.servedBy.device };
}

async function askForEffects(
  { inference, model, version, ask }: AskedVersion,
  rows: readonly ReplayRow[],
): Promise<VersionAnswers> {
  const table = toFeatureTable(rows.map(({ source }) => inputOf(actionInput, source).features));
  const response = await inference.chooseActions({ model, version, rows: table }, ask);
  const effects = effectsOf(response);
  const outputs = rows.map(({ decision }, i) => {
    const own = effects[i];
    if (!own) return {};
    const { propensity: _propensity, ...output } = chooseNextAction(
      own,
      inputOf(actionInput, decision).contact,
    );
    return output;
  });
  return { outputs, device: response.servedBy.device };
}

async function askForSlates(
  { inference, model, version, ask }: AskedVersion,
  rows: readonly ReplayRow[],
): Promise<VersionAnswers> {
  const { slates, servedBy } = await inference.recommend(
    { model, version, rows: rows.map(({ source }) => slateRowOf(inputOf(slateInput, source))) },
    ask,
  );
  return { outputs: slates.map((slate) => ({ items: slateOutput(slate) })), device: servedBy.device };
}
