import type { LifetimeSpec } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import type { DecisionCounter } from '../../monitoring/decision-counter.js';
import type { WireReader } from '../wire/wire-reader.js';
import { float64Data, type WireWriter } from '../wire/wire-writer.js';
import { askEach, type DecisionProgram, type Part, type Question } from './decision-program.js';

/** On the wire: repeats, recency, age, mean value of repeats, of all purchases, horizon; the times in days. */
export const CUSTOMER_COLUMNS = 6;
/** Of the model: repeats, recency, age, mean value of its spend basis, horizon; the times in periods. */
const INPUTS = 5;
const OUTPUTS = 3;
const INTERVAL_LEVEL = 0.9;
const [REPEATS, RECENCY, AGE, MEAN_REPEAT, MEAN_VALUE, HORIZON] = [0, 1, 2, 3, 4, 5] as const;

/** `ForecastValue`: what each customer will still buy, with the interval that validation showed for forecasts of that size. */
export class ValueProgram implements DecisionProgram {
  constructor(
    private readonly spec: LifetimeSpec,
    private readonly counter: DecisionCounter | null,
  ) {}

  ask(parts: readonly Part[]): (Question | Error)[] {
    return askEach(parts, ({ request, firstRow, isCounted }) => {
      const customers = readCustomers(request);
      const rows = customers.length / CUSTOMER_COLUMNS;
      for (let row = 0; row < rows; row++) this.check(customers, row, firstRow + row);
      return {
        rows,
        write: (input, at) => this.write(customers, input as Float64Array, at),
        answer: (output, writer) => {
          this.answer(output as Float64Array, writer);
          if (isCounted) this.count(customers, output as Float64Array);
        },
      };
    });
  }

  private check(customers: Float64Array, row: number, named: number): void {
    const at = (column: number): number => customers[row * CUSTOMER_COLUMNS + column] as number;
    const [repeats, recency, age, horizon] = [at(REPEATS), at(RECENCY), at(AGE), at(HORIZON)];
    const path = `customers[${named}]`;
    const isPossible = Number.isInteger(repeats) && repeats >= 0 && recency >= 0 && recency <= age;
    if (!isPossible || !Number.isFinite(age)) {
      throw new DomainError(
        'INVALID_INPUT',
        `${path} must have whole repeats >= 0 and 0 <= recency <= age, got ${repeats}, ${recency}, ${age}`,
        { path },
      );
    }
    const { maxHorizonDays } = this.spec;
    if (horizon >= 0 && horizon <= maxHorizonDays) return;
    throw new DomainError(
      'INVALID_INPUT',
      `${path} must look 0 to ${maxHorizonDays} days ahead, got ${horizon}`,
      { path },
    );
  }

  private write(customers: Float64Array, input: Float64Array, at: number): void {
    const { periodDays, spendBasis } = this.spec;
    const mean = spendBasis === 'all' ? MEAN_VALUE : MEAN_REPEAT;
    for (let row = 0; row < customers.length / CUSTOMER_COLUMNS; row++) {
      const from = row * CUSTOMER_COLUMNS;
      const to = (at + row) * INPUTS;
      input[to] = customers[from + REPEATS] as number;
      input[to + 1] = (customers[from + RECENCY] as number) / periodDays;
      input[to + 2] = (customers[from + AGE] as number) / periodDays;
      input[to + 3] = customers[from + mean] as number;
      input[to + 4] = (customers[from + HORIZON] as number) / periodDays;
    }
  }

  private count(customers: Float64Array, forecasts: Float64Array): void {
    const rows = forecasts.length / OUTPUTS;
    const features = [
      ['repeats', REPEATS],
      ['recency_days', RECENCY],
      ['age_days', AGE],
      ['mean_value', MEAN_VALUE],
    ] as const;
    const columns = features.map(([name, at]) => ({
      kind: 'numeric' as const,
      name,
      values: Float64Array.from(
        { length: rows },
        (_, row) => customers[row * CUSTOMER_COLUMNS + at] as number,
      ),
    }));
    const score = (index: number): Float64Array =>
      Float64Array.from({ length: rows }, (_, row) => forecasts[OUTPUTS * row + index] as number);
    this.counter?.count({
      table: { rows, columns },
      scores: { alive: score(0), purchases: score(1), value: score(2) },
    });
  }

  private answer(forecasts: Float64Array, writer: WireWriter): void {
    const rows = forecasts.length / OUTPUTS;
    const columns = { alive: 0, purchases: 1, value: 2 };
    const column = (index: number): Float64Array =>
      Float64Array.from({ length: rows }, (_, row) => forecasts[OUTPUTS * row + index] as number);
    const values = column(columns.value);
    const [lows, highs] = [new Float64Array(rows), new Float64Array(rows)];
    for (const [row, value] of values.entries()) {
      const { low, high } = valueInterval(this.spec, value);
      lows[row] = low;
      highs[row] = high;
    }
    const all = [column(columns.alive), column(columns.purchases), values, lows, highs];
    all.forEach((each, i) => writer.data(2 + i, float64Data(each)));
    writer.double(7, INTERVAL_LEVEL);
    writer.text(8, this.spec.currency);
  }
}

function readCustomers(request: WireReader): Float64Array {
  let bytes = new Uint8Array();
  while (request.next()) {
    if (request.field === 3) bytes = new Uint8Array(request.data());
    else request.skip();
  }
  return new Float64Array(bytes.buffer, 0, bytes.length / 8);
}

/** 90 % of the validation's customers with forecasts of that size lay within. */
function valueInterval(
  { reliability, meanOrderValue }: LifetimeSpec,
  value: number,
): { low: number; high: number } {
  const bin = reliability.find(({ upTo }) => value <= upTo) ?? reliability.at(-1);
  const scale = value + meanOrderValue;
  return {
    low: Math.max(0, Math.min(value, value + (bin?.low ?? 0) * scale)),
    high: Math.max(value, value + (bin?.high ?? 0) * scale),
  };
}
