import type { ScoreTask } from '@sextant/artefacts';

/** How long decisions are kept, and what came of them. */
export const KEPT_DAYS = 180;

export type DecisionKind = 'recommend' | 'price' | 'lifetime' | 'uplift' | ScoreTask;
export type Rung = 'MODEL' | 'CACHE' | 'HEURISTIC';

/** One row of the decision log: what was decided, on what, and by whom. */
export interface LoggedDecision {
  id: string;
  tenantId: string;
  kind: DecisionKind;
  subject: string;
  /** the person it concerns, where one is known, so that outcomes and erasure find it */
  customerId: string | null;
  at: Date;
  modelVersion: string;
  rung: Rung;
  fallbackReason: string | null;
  /** what computed it, e.g. `CPU`; null for what no model computed, and in rows that do not say */
  device: string | null;
  /** of rung CACHE: the decision whose answer was given again; null elsewhere, and where that is not known */
  repeats: string | null;
  input: unknown;
  inputHash: string;
  output: Record<string, unknown>;
  propensity: number | null;
}

/** A decision on its way to the log. What it was decided on is JSON already: hash, size and store all read that text. */
export type NewDecision = Omit<LoggedDecision, 'input'> & { inputJson: string };

/** The decision as it will be read from the store. */
export function loggedDecision({ inputJson, ...decision }: NewDecision): LoggedDecision {
  return { ...decision, input: JSON.parse(inputJson) };
}

/** About how many characters a decision takes as JSON, without making that text: what waits, and what one insert carries, is bounded by it. */
export function roughSize({ inputJson, output }: NewDecision): number {
  return ENVELOPE_CHARACTERS + inputJson.length + sizeOf(output);
}

/** Ids, instant, hash and names of a row. */
const ENVELOPE_CHARACTERS = 400;
const NUMBER_CHARACTERS = 20;

function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return NUMBER_CHARACTERS;
  let size = 2;
  if (Array.isArray(value)) for (const each of value) size += 1 + sizeOf(each);
  else for (const name in value) size += name.length + 4 + sizeOf((value as Record<string, unknown>)[name]);
  return size;
}
