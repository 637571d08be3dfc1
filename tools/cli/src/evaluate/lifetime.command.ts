import { DomainError } from '@sextant/domain';
import type { PurchaseDay } from '@sextant/learning/lifetime';
import type { EvaluationReport } from '@sextant/training/evaluation';
import { evaluateLifetime } from '@sextant/training/lifetime';
import { Command } from 'commander';
import { calendarDays } from './calendar-days.js';
import { CsvFile } from './csv-file.js';
import { emitReport, type OutputFlags, type Print, withOutputFlags } from './evaluation-output.js';
import { isMissing } from './missing-cell.js';

export interface LifetimeFlags {
  csv: string;
  customer: string;
  date: string;
  amount?: string;
  calibrationEnd: string;
  periodDays: string;
  seed: string;
}

/** `sextant evaluate lifetime`: what known customers will still buy. */
export function lifetimeCommand(print: Print): Command {
  const command = new Command('lifetime')
    .description('forecast purchases and spend of known customers; one row an order or an order line')
    .requiredOption('--csv <file>', 'plain or .gz')
    .requiredOption('--customer <column>', 'who bought; rows without one are left out')
    .requiredOption('--date <column>', 'day or time of the order; rows of one day are one purchase')
    .option(
      '--amount <column>',
      'value of the row; a day of negative sum is a refund of the purchases before it',
    )
    .requiredOption(
      '--calibration-end <yyyy-mm-dd>',
      'last day that the model may know; the days after it, up to the last of the file, are the test',
    )
    .option('--period-days <n>', 'unit of time of the parameters', '7');
  return withOutputFlags(command).action(async (flags: LifetimeFlags & OutputFlags) => {
    await emitReport(await evaluateLifetimeFile(flags), flags, print);
  });
}

/** @throws DomainError INVALID_INPUT for columns, cells or flags that do not fit, DATA_INSUFFICIENT when nothing can be fitted */
export async function evaluateLifetimeFile(flags: LifetimeFlags): Promise<EvaluationReport> {
  const [calibrationEnd = 0] = calendarDays([flags.calibrationEnd], '--calibration-end');
  const periodDays = Number(flags.periodDays);
  if (!(periodDays > 0 && Number.isFinite(periodDays))) {
    throw new DomainError(
      'INVALID_INPUT',
      `--period-days must be a positive number, got "${flags.periodDays}"`,
      { path: '--period-days' },
    );
  }
  const file = await CsvFile.read(flags.csv);
  const { customers, warnings } = purchaseDays(file, flags);
  const report = evaluateLifetime({
    customers,
    rows: file.rows,
    calibrationEnd,
    periodDays,
    seed: Number(flags.seed),
  });
  return { ...report, warnings: [...warnings, ...report.warnings] };
}

function purchaseDays(
  file: CsvFile,
  { customer, date, amount }: LifetimeFlags,
): { customers: PurchaseDay[][]; warnings: string[] } {
  const names = file.texts(customer);
  const values = amount === undefined ? null : file.numbers(amount);
  const kept = Array.from(names.keys()).filter(
    (row) => !isMissing(names[row] ?? '') && !Number.isNaN(values?.[row] ?? 0),
  );
  const texts = file.texts(date);
  const days = calendarDays(
    kept.map((row) => texts[row] ?? ''),
    date,
  );
  const byCustomer = new Map<string, PurchaseDay[]>();
  kept.forEach((row, i) => {
    const purchase = { day: days[i] ?? 0, value: values?.[row] ?? Number.NaN };
    const known = byCustomer.get(names[row] ?? '');
    if (known) known.push(purchase);
    else byCustomer.set(names[row] ?? '', [purchase]);
  });
  const missing = file.rows - kept.length;
  return {
    customers: [...byCustomer.values()],
    warnings:
      missing === 0
        ? []
        : [`${missing} of ${file.rows} rows have no ${customer} or no ${amount ?? ''} and were left out`],
  };
}
