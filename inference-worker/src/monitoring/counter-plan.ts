import { type Manifest, monitoringReference } from '@sextant/artefacts';
import { planOfReference, type SketchPlan } from '@sextant/learning/sketch';
import type { CounterPlan } from './decision-counter.js';

/** Each thread holds up to 34 counters a column and hour; wider versions are served and not watched. */
const MAX_COLUMNS = 4_096;

/** How a version is watched, or why it is not. */
export type Watching = { plan: SketchPlan; sent: CounterPlan } | { plan: null; reason: string };

/**
 * What is counted of a version. A reference that cannot be used keeps nobody from being served: it is said instead.
 *
 * @param files  as its manifest names them, proven
 */
export function watchingOf(manifest: Manifest | null, files: ReadonlyMap<string, Uint8Array>): Watching {
  const file = manifest?.monitorFile;
  if (file === undefined)
    return unwatched('it has no monitor.json: train it again, or import it with a sample');
  const content = files.get(file);
  if (content === undefined) return unwatched(`its manifest names ${file}, its list of files does not`);
  try {
    const reference = monitoringReference.parse(JSON.parse(Buffer.from(content).toString('utf8')));
    const columns = reference.features.length + reference.scores.length;
    if (columns > MAX_COLUMNS)
      return unwatched(`${columns} columns are too many: at most ${MAX_COLUMNS} are counted`);
    const plan = planOfReference(reference);
    const planOf = (slots: SketchPlan['features']) => slots.map((slot) => slot.plan);
    return { plan, sent: { features: planOf(plan.features), scores: planOf(plan.scores) } };
  } catch (error) {
    return unwatched(
      `its ${file} cannot be used: ${error instanceof Error ? error.message.slice(0, 300) : 'no reason'}`,
    );
  }
}

function unwatched(reason: string): Watching {
  return { plan: null, reason };
}
