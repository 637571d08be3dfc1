import { type SketchPlan, TableSketch } from '@sextant/learning/sketch';
import type { HourCounts } from './hour-counts.js';

/** Running total of one version and hour. */
export interface CountEntry {
  model: string;
  version: string;
  /** hours since 1970, UTC */
  hour: number;
  sketch: TableSketch;
  /** grows with every change of the ledger */
  revision: number;
}

/** Hours that are kept for a collector that was away. */
const KEPT_HOURS = 24;
const BYTES_OF_COUNTER = 8;

/** What all threads counted, by version and hour, since the process began. */
export class CountLedger {
  private readonly entries = new Map<string, CountEntry>();
  private readonly plans = new Map<string, { model: string; version: string; plan: SketchPlan }>();
  private bytes = 0;
  private changes = 0;
  /** hours of versions that were given up for want of room */
  dropped = 0;

  /** @param maxBytes  that counters may take; the oldest hours leave first */
  constructor(private readonly maxBytes = 64 * 1024 * 1024) {}

  get revision(): number {
    return this.changes;
  }

  /** Counts of a loaded version may come. @param key  as the threads name it */
  open(key: string, version: { model: string; version: string; plan: SketchPlan }): void {
    this.plans.set(key, version);
  }

  /** The version is off all threads. */
  close(key: string): void {
    this.plans.delete(key);
  }

  /** Adds what a thread counted since it last told. */
  add({ key, hour, sketch }: HourCounts): void {
    const opened = this.plans.get(key);
    if (!opened) return;
    const { model, version, plan } = opened;
    const own = TableSketch.fromBytes(plan, sketch);
    const name = `${model}@${version}/${hour}`;
    const entry = this.entries.get(name);
    if (entry) {
      // A version that came back with other files would be another plan; its numbers are of another model then.
      if (sameFingerprint(entry.sketch.plan, plan)) entry.sketch.merge(own);
      entry.revision = ++this.changes;
      return;
    }
    this.entries.set(name, { model, version, hour, sketch: own, revision: ++this.changes });
    this.bytes += BYTES_OF_COUNTER * plan.size;
    this.makeRoom(hour);
  }

  /** What changed after a revision, oldest hour first. */
  since(revision: number): CountEntry[] {
    return [...this.entries.values()]
      .filter((entry) => entry.revision > revision)
      .sort((a, b) => a.hour - b.hour || a.revision - b.revision);
  }

  private makeRoom(newest: number): void {
    for (const [name, { hour, sketch }] of [...this.entries].sort(([, a], [, b]) => a.hour - b.hour)) {
      const isOld = hour <= newest - KEPT_HOURS;
      const isOver = this.bytes > this.maxBytes && hour < newest;
      if (!isOld && !isOver) return;
      this.entries.delete(name);
      this.bytes -= BYTES_OF_COUNTER * sketch.plan.size;
      if (!isOld) this.dropped += 1;
    }
  }
}

function sameFingerprint(a: SketchPlan, b: SketchPlan): boolean {
  return a.fingerprint[0] === b.fingerprint[0] && a.fingerprint[1] === b.fingerprint[1];
}
