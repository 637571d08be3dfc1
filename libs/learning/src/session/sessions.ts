import { DomainError } from '@sextant/domain';

/** What one visitor looked at in one sitting, oldest first. */
export interface Session {
  items: readonly string[];
  /** Unix milliseconds of the last view. */
  endedAt: number;
}

export interface IndexedSession {
  /** Item indices, oldest first. */
  items: Uint32Array;
  endedAt: number;
}

export interface IndexedSessions {
  /** Item ids in the order of their indices. */
  items: string[];
  /** Ascending in `endedAt`. */
  sessions: IndexedSession[];
  /** Items left out because more than `maxItems` were viewed; the least viewed go first. */
  droppedItems: number;
}

/**
 * Parts of a row of views where nothing happened for longer than `silenceMs`.
 *
 * @param views  ascending in `at` (Unix milliseconds)
 */
export function splitBySilence(
  views: readonly { itemId: string; at: number }[],
  silenceMs: number,
): Session[] {
  const sessions: { items: string[]; endedAt: number }[] = [];
  for (const { itemId, at } of views) {
    const open = sessions.at(-1);
    if (open && at - open.endedAt <= silenceMs) {
      open.items.push(itemId);
      open.endedAt = at;
    } else {
      sessions.push({ items: [itemId], endedAt: at });
    }
  }
  return sessions;
}

/**
 * Numbers the items by id, so that the order of the sessions does not matter, and sorts the sessions by their end.
 *
 * @throws DomainError DATA_INSUFFICIENT when nothing was viewed, INVALID_INPUT when a time is not finite
 */
export function indexSessions(sessions: Iterable<Session>, maxItems: number): IndexedSessions {
  const counts = new Map<string, number>();
  const kept: Session[] = [];
  for (const session of sessions) {
    if (!Number.isFinite(session.endedAt)) {
      throw new DomainError('INVALID_INPUT', `a session of ${session.items.length} views has no time`, {
        path: 'endedAt',
      });
    }
    for (const item of session.items) counts.set(item, (counts.get(item) ?? 0) + 1);
    if (session.items.length > 0) kept.push(session);
  }
  if (counts.size === 0) {
    throw new DomainError('DATA_INSUFFICIENT', 'no session has a view: ingest product_view events');
  }
  const byCount = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const items = byCount
    .slice(0, maxItems)
    .map(([item]) => item)
    .sort();
  const indexOf = new Map(items.map((item, index) => [item, index]));
  const indexed = kept
    .map(({ items: viewed, endedAt }) => ({
      items: Uint32Array.from(viewed.flatMap((item) => indexOf.get(item) ?? [])),
      endedAt,
    }))
    .filter(({ items: viewed }) => viewed.length > 0)
    .sort((a, b) => a.endedAt - b.endedAt);
  return { items, sessions: indexed, droppedItems: byCount.length - items.length };
}
