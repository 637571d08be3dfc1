const DELIMITERS: readonly string[] = [',', ';', '\t', '|'];

/** Records looked at, the header first. */
const RECORDS = 6;

/**
 * What stands between the cells of a CSV text: of comma, semicolon, tab and bar the one that comes equally often in the first records,
 * cells in double quotes apart, and most often of these; else the most frequent of the header; a comma for a single column.
 *
 * @param text  the beginning of a file; its last record may be cut off
 */
export function sniffDelimiter(text: string): string {
  const records = countsOfRecords(text);
  const [header = new Map<string, number>()] = records;
  const inHeader = (delimiter: string): number => header.get(delimiter) ?? 0;
  const steady = DELIMITERS.filter(
    (delimiter) =>
      inHeader(delimiter) > 0 && records.every((counts) => counts.get(delimiter) === inHeader(delimiter)),
  );
  const among = steady.length > 0 ? steady : DELIMITERS;
  return among.reduce(
    (best, delimiter) => (inHeader(delimiter) > inHeader(best) ? delimiter : best),
    among[0] ?? ',',
  );
}

/** How often each character comes outside of quotes, by record. */
function countsOfRecords(text: string): Map<string, number>[] {
  const records: Map<string, number>[] = [];
  let counts = new Map<string, number>();
  let isQuoted = false;
  let isBlank = true;
  for (const character of text) {
    if (character === '"') isQuoted = !isQuoted;
    if (character === '\n' && !isQuoted) {
      if (!isBlank) records.push(counts);
      if (records.length === RECORDS) return records;
      counts = new Map();
      isBlank = true;
    } else {
      if (!isQuoted) counts.set(character, (counts.get(character) ?? 0) + 1);
      isBlank &&= character.trim() === '' && character !== '\t';
    }
  }
  return records.length > 0 ? records : [counts];
}
