import type { ColumnSet } from '../score-task/choose-columns.js';

const isForm = (column: string): boolean => column.startsWith('form.');
const isOfLate = (column: string): boolean => /^count\.\w+\.30d$/.test(column) || column === 'recency.days';
const PERSON = new Set([
  'tenure.days',
  'order.value.total',
  'order.value.mean',
  'products.distinct',
  'visit.channel',
  'visit.device',
]);
const isPerson = (column: string): boolean => column.startsWith('trait.') || PERSON.has(column);

/** What a lead can be judged by, from what was typed and done of late to all that is known; see `chooseColumns`. */
export const LEAD_COLUMNS: readonly ColumnSet[] = [
  { name: 'the form and what was done of late', holds: (column) => isForm(column) || isOfLate(column) },
  {
    name: 'the form, what was done of late, and the person',
    holds: (column) => isForm(column) || isOfLate(column) || isPerson(column),
  },
  { name: 'everything known', holds: () => true },
];
