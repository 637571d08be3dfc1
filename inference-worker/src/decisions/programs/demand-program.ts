import type { PriceSpec } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import { categoricalView, type ColumnTable, numericView, takeRows } from '@sextant/learning';
import { demandLine } from '@sextant/learning/price';
import { float64Data, type WireWriter } from '../wire/wire-writer.js';
import { type Demand, DEMAND_INTERVAL_LEVEL, demandOf } from './demand.js';
import { askEach, type DecisionProgram, type Part, type Question } from './decision-program.js';
import { withDefaults, writeEncoded } from './feature-table.js';
import { ownOf } from './own-of.js';
import { readScoreRequest } from './score-program.js';

/** `PredictDemand`: units at given prices; a price outside the prices seen counts as the nearest one seen. */
export class DemandProgram implements DecisionProgram {
  constructor(private readonly spec: PriceSpec) {}

  ask(parts: readonly Part[]): (Question | Error)[] {
    return askEach(parts, ({ request, firstRow }) => {
      const { spec } = this;
      const { table } = readScoreRequest(request);
      const curves = curvesOf(
        spec,
        withinSeenPrices(spec, withDefaults(table, spec.contextDefaults), firstRow),
      );
      return {
        rows: curves.table.rows,
        write: (input, at) => void writeEncoded(spec.table, curves.table, input, at),
        answer: (output, writer) => this.answer(curves.logUnits(output as Float32Array), writer),
      };
    });
  }

  private answer(logUnits: ArrayLike<number>, writer: WireWriter): void {
    const demands = Array.from(logUnits, (each) => demandOf(this.spec, each));
    const columns: (keyof Demand)[] = ['median', 'expected', 'low', 'high'];
    columns.forEach((column, i) => {
      writer.data(2 + i, float64Data(Float64Array.from(demands, (demand) => demand[column])));
    });
    writer.double(6, DEMAND_INTERVAL_LEVEL);
  }
}

/** The rows to ask the model at, and how its answers become the log units of the rows given. */
interface Curves {
  table: ColumnTable;
  logUnits: (levels: Float32Array) => ArrayLike<number>;
}

function curvesOf(spec: PriceSpec, table: ColumnTable): Curves {
  if (spec.priceResponse === undefined) return { table, logUnits: (levels) => levels };
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

/** @param firstRow  of the caller's request, for errors */
function withinSeenPrices(spec: PriceSpec, table: ColumnTable, firstRow: number): ColumnTable {
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
      const path = `rows["${spec.priceColumn}"][${firstRow + row}]`;
      throw new DomainError('INVALID_INPUT', `${path} must be a positive price, got ${price}`, { path });
    }
    const range = ownOf(spec.priceRange, products.dictionary[products.codes[row] ?? -1] ?? '');
    const [low, high] = range ?? [price, price];
    return Math.min(high, Math.max(low, price));
  });
  const others = table.columns.filter(({ name }) => name !== spec.priceColumn);
  return {
    rows: table.rows,
    columns: [...others, { kind: 'numeric', name: spec.priceColumn, values: prices }],
  };
}
