import { setTimeout as pause } from 'node:timers/promises';
import type { Discovery, EndpointListener } from './discovery.js';
import {
  type EndpointSlice,
  type EndpointSliceList,
  readyAddresses,
  type WatchEvent,
} from './endpoint-slices.js';
import { type KubernetesApi, KubernetesApiError } from './kubernetes-api.js';
import type { KubernetesAddress } from './worker-address.js';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
const GONE = 410;
/** After this the API ends a watch, and it goes on from the version seen last. */
const WATCH_SECONDS = 240;
/** A watch that ends sooner was not what was asked for; the next one waits. */
const LEAST_WATCH_MS = 1_000;

/**
 * The ready pods of a service: a list of its EndpointSlices, then a watch from there. Whatever breaks, it lists again; until that works
 * the pods known so far stay.
 */
export class KubernetesEndpoints implements Discovery {
  private readonly ending = new AbortController();
  private readonly slices = new Map<string, EndpointSlice>();
  private version = '';
  private failures = 0;

  constructor(
    private readonly address: KubernetesAddress,
    private readonly api: KubernetesApi,
  ) {}

  start(listener: EndpointListener): void {
    void this.run(listener);
  }

  close(): void {
    this.ending.abort();
  }

  private async run(listener: EndpointListener): Promise<void> {
    const { signal } = this.ending;
    while (!signal.aborted) {
      try {
        await this.follow(listener);
      } catch (error) {
        if (signal.aborted) return;
        if (!isGone(error)) listener.failed(error instanceof Error ? error : new Error(String(error)));
        await this.rest();
      }
    }
  }

  private async follow(listener: EndpointListener): Promise<void> {
    const namespace = this.address.namespace ?? (await this.api.ownNamespace());
    const path = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;
    const selector = `labelSelector=${encodeURIComponent(`kubernetes.io/service-name=${this.address.service}`)}`;
    await this.list(`${path}?${selector}&limit=500`);
    this.publish(listener);
    while (!this.ending.signal.aborted) {
      const from = `resourceVersion=${encodeURIComponent(this.version)}&timeoutSeconds=${WATCH_SECONDS}`;
      const startedAt = performance.now();
      await this.watch(`${path}?${selector}&watch=1&allowWatchBookmarks=true&${from}`, listener);
      if (performance.now() - startedAt < LEAST_WATCH_MS) await this.rest();
      else this.failures = 0;
    }
  }

  private async list(path: string): Promise<void> {
    const found: EndpointSlice[] = [];
    let next: string | undefined;
    do {
      const page = next === undefined ? path : `${path}&continue=${encodeURIComponent(next)}`;
      const { items = [], metadata } = (await this.api.get(page, this.ending.signal)) as EndpointSliceList;
      found.push(...items);
      this.version = metadata?.resourceVersion ?? '';
      next = metadata?.continue || undefined;
    } while (next !== undefined);
    this.slices.clear();
    for (const slice of found) this.slices.set(slice.metadata.name, slice);
  }

  private async watch(path: string, listener: EndpointListener): Promise<void> {
    for await (const event of this.api.watch(path, this.ending.signal)) {
      this.apply(event as WatchEvent);
      this.publish(listener);
    }
  }

  private apply(event: WatchEvent): void {
    if (event.type === 'ERROR') throw new KubernetesApiError(event.object.code ?? 0, 'a watch');
    const { metadata } = event.object;
    this.version = metadata.resourceVersion ?? this.version;
    if (event.type === 'DELETED') this.slices.delete(metadata.name);
    else if (event.type !== 'BOOKMARK') this.slices.set(metadata.name, event.object);
  }

  private publish(listener: EndpointListener): void {
    listener.found(readyAddresses(this.slices.values(), this.address.port));
  }

  private async rest(): Promise<void> {
    const longest = Math.min(FIRST_PAUSE_MS * 2 ** this.failures, LONGEST_PAUSE_MS);
    this.failures += 1;
    const { signal } = this.ending;
    await pause(longest * (0.5 + Math.random() / 2), undefined, { signal, ref: false }).catch(
      () => undefined,
    );
  }
}

function isGone(error: unknown): boolean {
  return error instanceof KubernetesApiError && error.statusCode === GONE;
}
