/** Cells as lines of a table for a terminal: the first column to the left, figures to the right unless told otherwise. */
export function alignedRows(
  rows: readonly (readonly string[])[],
  { align = 'figures' }: { align?: 'figures' | 'words' } = {},
): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 || align === 'words'
          ? cell.padEnd(widths[column] ?? 0)
          : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}
