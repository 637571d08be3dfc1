/** Prints measured figures, one line a row, so that a report can quote them. */
export function printTable(title: string, rows: readonly object[]): void {
  const rounded = rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [
        name,
        typeof value === 'number' ? Math.round(value * 100) / 100 : value,
      ]),
    ),
  );
  process.stdout.write(`${title}\n${rounded.map((row) => `  ${JSON.stringify(row)}`).join('\n')}\n`);
}
