import { DomainError } from '@sextant/domain';
import { CACHE_DIRECTORY, findLightGbm } from '@sextant/local-services';
import type { EvaluationReport } from '@sextant/training/evaluation';
import { evaluateRegression, evaluateTable } from '@sextant/training/table';
import { Command } from 'commander';
import { emitReport, type OutputFlags, type Print, withOutputFlags } from './evaluation-output.js';
import { listed, readTableFile, type TableFileFlags } from './table-file.js';

export interface TableFlags extends TableFileFlags {
  threshold?: string;
  seed?: string;
}

/** `sextant evaluate table`: a score of any table whose rows have one of two outcomes, or an amount. */
export function tableCommand(print: Print): Command {
  const command = new Command('table')
    .description(
      'score the rows of a table that have one of two outcomes (leads, customers who may leave, buyers), or forecast an amount',
    )
    .requiredOption('--csv <file>', 'plain or .gz, with a header; one row an example')
    .requiredOption('--target <column>', 'what became of the row: two values, or an amount')
    .option(
      '--positive <value>',
      'the value of the target that counts; guessed only from words such as 1, true, yes',
    )
    .option('--drop <columns>', 'columns to leave out, separated by commas: what is known only afterwards')
    .option('--keep <columns>', 'columns to keep although they look as if they gave the target away')
    .option('--delimiter <character>', 'between cells, e.g. ";" or tab (default: read from the first rows)')
    .option(
      '--split <rule>',
      'test rows: crc32 (a fifth, by hash of the row number), last:0.2 (the last fifth; rows are in order of time), column:NAME (cells "test")',
      'crc32',
    )
    .option('--test-csv <file>', 'test rows of a published split, instead of --split')
    .option('--time <column>', 'when the row was known: rows are put in its order, and it is no input')
    .option('--weights <column>', 'how much a row counts in training, above 0; it is no input')
    .option('--protected <columns>', 'columns to audit for fairness, separated by commas; they stay inputs')
    .option('--threshold <p>', 'rows from this probability on count as selected in the audit', '0.5');
  return withOutputFlags(command).action(async (flags: TableFlags & OutputFlags) => {
    await emitReport(await evaluateTableFile(flags), flags, print);
  });
}

/** @throws DomainError INVALID_INPUT for columns, cells or flags that do not fit, DATA_INSUFFICIENT when nothing can be learnt */
export async function evaluateTableFile(flags: TableFlags): Promise<EvaluationReport> {
  const threshold = Number(flags.threshold ?? 0.5);
  if (!(threshold > 0 && threshold < 1)) {
    throw new DomainError('INVALID_INPUT', `--threshold must be between 0 and 1, got ${flags.threshold}`);
  }
  const { warnings, regression, ...input } = await readTableFile(flags);
  if (regression !== null && flags.protected !== undefined) {
    throw new DomainError(
      'INVALID_INPUT',
      `--protected audits a choice between two outcomes, but "${flags.target}" is an amount: name the value that counts with --positive`,
      { path: '--protected' },
    );
  }
  const lightGbm = await findLightGbm({ env: process.env, cacheDir: CACHE_DIRECTORY }).catch(() => null);
  const options = { seed: Number(flags.seed ?? 1), lightGbm, keep: listed(flags.keep) };
  const report =
    regression === null
      ? await evaluateTable(input, { ...options, threshold })
      : await evaluateRegression(regression, options);
  return { ...report, warnings: [...warnings, ...report.warnings] };
}
