import type { ColumnTable } from '@sextant/learning';
import { type ColumnPlan, SketchPlan, TableSketch } from '@sextant/learning/sketch';
import { HOUR_MS, type HourCounts } from './hour-counts.js';

/** What is counted of a version, in a form that can be sent to a thread. */
export interface CounterPlan {
  features: readonly ColumnPlan[];
  scores: readonly ColumnPlan[];
}

/** What a program hands over of each part that it answered. */
export interface CountedRows {
  table: ColumnTable;
  /** by the names of the plan's scores; others are left out, and so are scores that the answer has not */
  scores: Readonly<Record<string, ArrayLike<number>>>;
}

/** Counts what one version is asked and answers, on the thread that decides. */
export class DecisionCounter {
  private readonly plan: SketchPlan;
  private readonly scoreNames: readonly string[];
  private hours = new Map<number, TableSketch>();
  private current: { hour: number; sketch: TableSketch } | null = null;

  constructor(
    { features, scores }: CounterPlan,
    private readonly now: () => number = Date.now,
  ) {
    this.plan = new SketchPlan({ features, scores });
    this.scoreNames = scores.map(({ name }) => name);
  }

  count({ table, scores }: CountedRows): void {
    const sketch = this.sketchOfNow();
    sketch.addTable(table);
    for (const name of this.scoreNames) {
      const values = scores[name];
      if (values !== undefined) sketch.addScores(name, values);
    }
  }

  /** What was counted since the last call. @param key  names the version */
  take(key: string): HourCounts[] {
    const taken = [...this.hours].map(([hour, sketch]) => ({
      key,
      hour,
      sketch: new Uint8Array(sketch.toBytes()),
    }));
    this.hours = new Map();
    this.current = null;
    return taken;
  }

  private sketchOfNow(): TableSketch {
    const hour = Math.floor(this.now() / HOUR_MS);
    if (this.current?.hour === hour) return this.current.sketch;
    const sketch = this.hours.get(hour) ?? new TableSketch(this.plan);
    this.hours.set(hour, sketch);
    this.current = { hour, sketch };
    return sketch;
  }
}
