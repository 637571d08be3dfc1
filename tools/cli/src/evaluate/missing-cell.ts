const MISSING = new Set([
  '',
  'NA',
  'N/A',
  'n/a',
  '#N/A',
  '<NA>',
  'NaN',
  'nan',
  'NaT',
  'null',
  'NULL',
  'None',
]);

/** Empty, or one of the usual words for it. */
export function isMissing(text: string): boolean {
  return MISSING.has(text);
}
