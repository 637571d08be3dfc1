import type { ModelEntry, ServingConfig } from '@sextant/artefacts';
import type { Routing, TrafficShare } from './model-catalogue.js';

/** What the repository wants of a model, the live version resolved. */
export interface Desired {
  live: number | null;
  serving: ServingConfig;
  /** every version that is wanted in memory, the live one first */
  versions: number[];
}

/** @param live  the pointer, or the newest version where a plain model has none */
export function desiredOf({ serving }: Pick<ModelEntry, 'serving'>, live: number | null): Desired {
  const { aliases, versions, canary, shadow } = serving;
  const wanted = new Set([
    ...(live === null ? [] : [live]),
    ...(canary ? [canary.version] : []),
    ...(shadow ? [shadow.version] : []),
    ...Object.values(aliases),
    ...versions,
  ]);
  return { live, serving, versions: [...wanted] };
}

/**
 * Traffic over the versions that can serve. A live version that was refused leaves the one before in service; a canary, shadow or
 * alias whose version was refused is left out.
 *
 * @param before  how the model is routed now
 * @param canServe  whether calls can reach a version
 */
export function routingOf(
  { live, serving }: Desired,
  before: Routing | undefined,
  canServe: (version: string) => boolean,
): Routing {
  const wanted = live === null ? null : String(live);
  const previous = before?.live ?? null;
  const usable = (share: ServingConfig['canary']): TrafficShare | null =>
    share && canServe(String(share.version)) ? { version: String(share.version), share: share.share } : null;
  const aliases = Object.entries(serving.aliases).map(([name, version]) => [name, String(version)] as const);
  return {
    live:
      wanted === null || canServe(wanted)
        ? wanted
        : previous !== null && canServe(previous)
          ? previous
          : null,
    aliases: new Map(aliases.filter(([, version]) => canServe(version))),
    canary: usable(serving.canary),
    shadow: usable(serving.shadow),
  };
}
