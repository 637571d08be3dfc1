import { DomainError } from '@sextant/domain';
import type { RequestContext } from '@sextant/platform';

const LEAST_BUDGET_MS = 5;
const MOST_BUDGET_MS = 5_000;

/** The instant, on the scale of `performance.now()`, after which a lower rung answers. */
export interface Budget {
  deadlineAt: number;
}

/** What the answer needs from here to where somebody waits for it. */
const WAY_BACK_MS = 10;

/**
 * A budget that starts now and ends in time for the request's own deadline.
 *
 * @param request  `deadlineMs` in epoch milliseconds, absent where the caller named none
 * @throws DomainError INVALID_INPUT when the client's `budgetMs` is out of range
 */
export function startBudget(
  budgetMs: number | null | undefined,
  defaultMs: number,
  request: Pick<RequestContext, 'deadlineMs'>,
): Budget {
  const length = budgetMs ?? defaultMs;
  if (length < LEAST_BUDGET_MS || length > MOST_BUDGET_MS) {
    throw new DomainError(
      'INVALID_INPUT',
      `budgetMs must be between ${LEAST_BUDGET_MS} and ${MOST_BUDGET_MS}, got ${length}`,
      { path: 'budgetMs' },
    );
  }
  const { deadlineMs } = request;
  const leftMs = deadlineMs === undefined ? length : deadlineMs - Date.now() - WAY_BACK_MS;
  return { deadlineAt: performance.now() + Math.min(length, leftMs) };
}

/**
 * What is left for a batch: the longest of its budgets, since all of it travels in one answer, which waits for the longest
 * anyway. May be negative.
 */
export function remainingMs(budgets: readonly Budget[]): number {
  return Math.max(...budgets.map(({ deadlineAt }) => deadlineAt)) - performance.now();
}
