import type { LifetimeSpec } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import {
  type Decoded,
  float64Bytes,
  type ForecastValueRequest,
  type ForecastValueResponse,
  readFloat64,
} from '@sextant/inference-protocol';
import type { ModelRunner } from '../models/model-runner.js';
import type { RowSource } from '../scheduling/batch-lane.js';
import type { CallContext } from '../transport/call-context.js';
import { servedBy } from './served-by.js';
import { taskOf } from './task-of.js';

/** On the wire: repeats, recency, age, mean value of repeats, of all purchases, horizon; the times in days. */
const COLUMNS = 6;
/** Of the model: repeats, recency, age, mean value of its spend basis, horizon; the times in periods. */
const INPUTS = 5;
const OUTPUTS = 3;
const BYTES_PER_VALUE = 8;
const INTERVAL_LEVEL = 0.9;
const [REPEATS, RECENCY, AGE, MEAN_REPEAT, MEAN_VALUE, HORIZON] = [0, 1, 2, 3, 4, 5] as const;

/** What each customer will still buy, with the interval that validation showed for forecasts of that size. */
export function forecastValue(
  runner: ModelRunner,
  request: Decoded<ForecastValueRequest>,
  context: CallContext,
): Promise<ForecastValueResponse> {
  return runner.with(request, context, async (served) => {
    const { spec } = taskOf(served, 'lifetime');
    const customers = customersOf(request.customers);
    runner.assertRowCount(customers.length / COLUMNS, 'customers');
    const result = await runner.run(served.score, rowsOf(customers, spec), context);
    const forecasts = result.outputs[0] as Float64Array;
    const column = (index: number): Float64Array =>
      Float64Array.from({ length: forecasts.length / OUTPUTS }, (_, row) =>
        Number(forecasts[OUTPUTS * row + index]),
      );
    const values = column(2);
    const intervals = Array.from(values, (value) => valueInterval(spec, value));
    return {
      servedBy: servedBy(served, result),
      probabilityAlive: float64Bytes(column(0)),
      expectedPurchases: float64Bytes(column(1)),
      value: float64Bytes(values),
      valueLow: float64Bytes(Float64Array.from(intervals, ([low]) => low)),
      valueHigh: float64Bytes(Float64Array.from(intervals, ([, high]) => high)),
      intervalLevel: INTERVAL_LEVEL,
      currency: spec.currency,
    };
  });
}

/** 90 % of the validation's customers with forecasts of that size lay within. */
function valueInterval(
  { reliability, meanOrderValue }: LifetimeSpec,
  value: number,
): [low: number, high: number] {
  const bin = reliability.find(({ upTo }) => value <= upTo) ?? reliability.at(-1);
  const scale = value + meanOrderValue;
  return [
    Math.max(0, Math.min(value, value + (bin?.low ?? 0) * scale)),
    Math.max(value, value + (bin?.high ?? 0) * scale),
  ];
}

function customersOf(bytes: Uint8Array): Float64Array {
  if (bytes.byteLength % (COLUMNS * BYTES_PER_VALUE) !== 0) {
    throw new DomainError(
      'INVALID_INPUT',
      `customers must hold rows of ${COLUMNS} float64, got ${bytes.byteLength} bytes`,
      { path: 'customers' },
    );
  }
  return readFloat64(bytes);
}

function rowsOf(customers: Float64Array, spec: LifetimeSpec): RowSource {
  const rows = customers.length / COLUMNS;
  for (let row = 0; row < rows; row++) {
    checkCustomer(customers.subarray(row * COLUMNS, (row + 1) * COLUMNS), { row, spec });
  }
  const inputs = new Float64Array(rows * INPUTS);
  for (let row = 0; row < rows; row++) {
    const at = (column: number): number => Number(customers[row * COLUMNS + column]);
    const { periodDays } = spec;
    const mean = at(spec.spendBasis === 'all' ? MEAN_VALUE : MEAN_REPEAT);
    const times = [at(RECENCY) / periodDays, at(AGE) / periodDays];
    inputs.set([at(REPEATS), ...times, mean, at(HORIZON) / periodDays], row * INPUTS);
  }
  return {
    rows,
    bytesPerRow: INPUTS * BYTES_PER_VALUE,
    write: ([input], { from, count, at }) =>
      (input as Float64Array).set(inputs.subarray(from * INPUTS, (from + count) * INPUTS), at * INPUTS),
  };
}

function checkCustomer(customer: Float64Array, { row, spec }: { row: number; spec: LifetimeSpec }): void {
  const [repeats = -1, recency = -1, age = -1, horizon = -1] = [REPEATS, RECENCY, AGE, HORIZON].map(
    (column) => customer[column],
  );
  const path = `customers[${row}]`;
  const isPossible = Number.isInteger(repeats) && repeats >= 0 && recency >= 0 && recency <= age;
  if (!isPossible || !Number.isFinite(age)) {
    throw new DomainError(
      'INVALID_INPUT',
      `${path} must have whole repeats >= 0 and 0 <= recency <= age, got ${repeats}, ${recency}, ${age}`,
      { path },
    );
  }
  if (!(horizon >= 0 && horizon <= spec.maxHorizonDays)) {
    throw new DomainError(
      'INVALID_INPUT',
      `${path} must look 0 to ${spec.maxHorizonDays} days ahead, got ${horizon}`,
      { path },
    );
  }
}
