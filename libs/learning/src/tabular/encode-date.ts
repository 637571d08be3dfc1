import { categoricalView, type TableColumn } from './column-table.js';
import { type DateEncoding, datePart, parseDate } from './date-parts.js';
import type { EncodingTarget } from './encoding-target.js';

/** Parts of a date, each as a number; a text that is no date counts as missing. */
export function writeDate(
  encoding: DateEncoding,
  source: TableColumn | undefined,
  target: EncodingTarget,
): void {
  const { parts, fill, missingIndicator } = encoding;
  const view = source === undefined ? null : categoricalView(source);
  const missing = parts.map(() => (fill ? 0 : Number.NaN));
  const encoded = view?.dictionary.map((text) => encodedParts(encoding, text)) ?? [];
  for (let row = 0; row < target.rows; row++) {
    const cells = encoded[view?.codes[row] ?? -1] ?? null;
    const at = row * target.width + target.offset;
    target.output.set(cells ?? missing, at);
    if (missingIndicator) target.output[at + parts.length] = cells === null ? 1 : 0;
  }
}

function encodedParts({ parts, format }: DateEncoding, text: string): number[] | null {
  const at = parseDate(text, format);
  if (Number.isNaN(at)) return null;
  return parts.map(({ part, mean, scale, range }) => {
    const value = datePart(part, at);
    const drawnIn = range ? Math.min(range[1], Math.max(range[0], value)) : value;
    return (drawnIn - mean) / scale;
  });
}
