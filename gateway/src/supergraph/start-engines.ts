import { DomainError } from '@sextant/domain';
import type { Logger } from '@sextant/platform';
import type { Registry } from 'prom-client';
import { type BuiltEngine, LiveEngines } from './live-engines.js';
import { SupergraphMetrics } from './supergraph-metrics.js';
import { SupergraphReloads } from './supergraph-reloads.js';
import { supergraphSource } from './supergraph-source.js';

export interface EngineParts {
  /** file or http(s) URL of the supergraph */
  place: string;
  /** header of that name for a URL; empty: none */
  authorization: string;
  /** pause between two looks, in milliseconds; 0: never */
  pollMs: number;
  /** throws when the text is none that can be served */
  build(sdl: string): BuiltEngine;
  registry: Registry;
  logger: Logger;
}

/** Engines of a supergraph that is looked after until `close`. */
export interface RunningEngines {
  engines: LiveEngines;
  /** when nothing runs any more */
  close(): void;
}

/**
 * The first supergraph must be there and valid; from then on a fault leaves the last good one in force.
 *
 * @throws DomainError CONFIG_INVALID or SUPERGRAPH_UNAVAILABLE
 */
export async function startEngines(parts: EngineParts): Promise<RunningEngines> {
  const { place, authorization, pollMs, build, registry, logger } = parts;
  const source = supergraphSource(place, { authorization });
  const sdl = await source.read();
  if (sdl === null) throw new DomainError('SUPERGRAPH_UNAVAILABLE', `${place} holds no supergraph`);
  const engines = new LiveEngines(build(sdl));
  const metrics = new SupergraphMetrics(registry, () => engines.count);
  metrics.loaded(true);
  const reloads = new SupergraphReloads({ source, engines, build, pollMs, metrics, logger });
  reloads.start();
  return {
    engines,
    close() {
      reloads.stop();
      engines.close();
    },
  };
}
