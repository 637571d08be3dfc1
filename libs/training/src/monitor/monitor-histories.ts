import type { MonitoringReference } from '@sextant/artefacts';
import { buildReference } from '@sextant/learning/monitor';

/**
 * What recommendations are compared with: how many items were known of each customer or session, and the share of those that the model does
 * not know, which in training is none. Both carry no importance: how many ask for a customer, a session or a product page is the shop's,
 * so a difference is shown and raises nothing.
 *
 * @param historyItems  different items of each history
 */
export function monitorHistories(historyItems: readonly number[]): MonitoringReference {
  const rows = historyItems.length;
  return buildReference({
    table: {
      rows,
      columns: [
        { kind: 'numeric', name: 'history_items', values: Float64Array.from(historyItems) },
        {
          kind: 'numeric',
          name: 'unknown_share',
          values: Float64Array.from(historyItems, (items) => (items === 0 ? Number.NaN : 0)),
        },
      ],
    },
    at: null,
    subjects: null,
    importance: new Map([
      ['history_items', 0],
      ['unknown_share', 0],
    ]),
    scores: [],
  });
}
