import { DomainError } from '@sextant/domain';
import {
  type Decoded,
  float64Bytes,
  type PredictDemandRequest,
  type PredictDemandResponse,
} from '@sextant/inference-protocol';
import { categoricalView, type ColumnTable, numericView, takeRows } from '@sextant/learning';
import { demandLine } from '@sextant/learning/price';
import type { ModelRunner } from '../models/model-runner.js';
import type { PriceTask } from '../models/prepared-task.js';
import type { CallContext } from '../transport/call-context.js';
import { DEMAND_INTERVAL_LEVEL, demandOf } from './demand.js';
import { encodedRows, readFeatureTable, withDefaults } from './feature-table.js';
import { servedBy } from './served-by.js';
import { taskOf } from './task-of.js';

/** Units at given prices; a price outside the prices seen counts as the nearest one seen. */
export function predictDemand(
  runner: ModelRunner,
  request: Decoded<PredictDemandRequest>,
  context: CallContext,
): Promise<PredictDemandResponse> {
  return runner.with(request, context, async (served) => {
    const task = taskOf(served, 'price');
    const given = readFeatureTable(request.rows, 'rows');
    runner.assertRowCount(given.rows, 'rows');
    const curves = curvesOf(task, withinSeenPrices(task, withDefaults(given, task.spec.contextDefaults)));
    const result = await runner.run(served.score, encodedRows(task.spec.table, curves.table), context);
    const demands = curves
      .logUnits(result.outputs[0] as Float32Array)
      .map((logUnits) => demandOf(task.spec, logUnits));
    const column = (pick: (demand: (typeof demands)[number]) => number): Buffer =>
      float64Bytes(Float64Array.from(demands, pick));
    return {
      servedBy: servedBy(served, result),
      medianUnits: column((demand) => demand.median),
      expectedUnits: column((demand) => demand.expected),
      lowUnits: column((demand) => demand.low),
      highUnits: column((demand) => demand.high),
      intervalLevel: DEMAND_INTERVAL_LEVEL,
    };
  });
}

/** The rows to ask the model at, and how its answers become the log units of the rows given. */
interface Curves {
  table: ColumnTable;
  logUnits: (levels: Float32Array) => number[];
}

function curvesOf({ spec }: PriceTask, table: ColumnTable): Curves {
  if (spec.priceResponse === undefined) return { table, logUnits: (levels) => [...levels] };
  const columnOf = (name: string) => table.columns.find((each) => each.name === name);
  const [product, price] = [columnOf(spec.productColumn), columnOf(spec.priceColumn)];
  if (!product || !price) throw new RangeError('withinSeenPrices has checked both columns');
  const { codes, dictionary } = categoricalView(product);
  const prices = numericView(price);
  const lines = Array.from(prices, (each, row) =>
    demandLine(spec.priceResponse, dictionary[codes[row] ?? -1] ?? '', [each]),
  );
  const others = { ...table, columns: table.columns.filter(({ name }) => name !== spec.priceColumn) };
  const asked = takeRows(
    others,
    lines.flatMap((line, row) => line.asked.map(() => row)),
  );
  const values = Float64Array.from(lines.flatMap((line) => line.asked));
  return {
    table: {
      rows: asked.rows,
      columns: [...asked.columns, { kind: 'numeric', name: spec.priceColumn, values }],
    },
    logUnits: (levels) => {
      let offset = 0;
      return lines.map((line, row) => {
        const own = levels.subarray(offset, (offset += line.asked.length));
        return line.logUnitsAt(own, prices[row] ?? 1);
      });
    },
  };
}

function withinSeenPrices({ spec }: PriceTask, table: ColumnTable): ColumnTable {
  const column = (name: string) => {
    const found = table.columns.find((each) => each.name === name);
    if (!found)
      throw new DomainError('FEATURE_VECTOR_MISMATCH', `rows need the column "${name}"`, {
        path: `rows["${name}"]`,
      });
    return found;
  };
  const products = categoricalView(column(spec.productColumn));
  const prices = numericView(column(spec.priceColumn)).map((price, row) => {
    if (!(price > 0)) {
      const path = `rows["${spec.priceColumn}"][${row}]`;
      throw new DomainError('INVALID_INPUT', `${path} must be a positive price, got ${price}`, { path });
    }
    const [low, high] = spec.priceRange[products.dictionary[products.codes[row] ?? -1] ?? ''] ?? [
      price,
      price,
    ];
    return Math.min(high, Math.max(low, price));
  });
  const others = table.columns.filter(({ name }) => name !== spec.priceColumn);
  return {
    rows: table.rows,
    columns: [...others, { kind: 'numeric', name: spec.priceColumn, values: prices }],
  };
}
