/**
 * The process that tries one file: reads its order from the file that its argument names, writes a line for each check to descriptor 3,
 * and ends. It gets no configuration and no secrets.
 */
import { readFileSync, writeSync } from 'node:fs';
import type { TrialOrder } from './trial.js';
import { tryModel } from './try-model.js';

const LINES = 3;

const order = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as TrialOrder;
await tryModel(order, (line) => writeSync(LINES, `${JSON.stringify(line)}\n`));
process.exit(0);
