import { LatencyWindow } from './latency-window.js';
import type { WorkerEndpoint } from './worker-endpoint.js';

const ANSWERS_BETWEEN_LOOKS = 16;

/**
 * How long a healthy worker takes for one method: the quantile of each worker's latest latencies, and of these the lower median, so
 * that workers which have become slow do not move what they are measured by.
 */
export class HedgeDelay {
  private readonly windows = new WeakMap<WorkerEndpoint, LatencyWindow>();
  private untilLook = 0;
  private value: number | undefined;

  /**
   * @param quantile   in (0, 1]
   * @param leastMs    no hedge sooner than this
   * @param endpoints  those that take calls now
   */
  constructor(
    private readonly quantile: number,
    private readonly leastMs: number,
    private readonly endpoints: () => readonly WorkerEndpoint[],
  ) {}

  record(endpoint: WorkerEndpoint, milliseconds: number): void {
    let window = this.windows.get(endpoint);
    if (!window) this.windows.set(endpoint, (window = new LatencyWindow(this.quantile)));
    window.record(milliseconds);
    this.untilLook -= 1;
  }

  /** Milliseconds; undefined while too little is known. */
  read(): number | undefined {
    if (this.untilLook <= 0) {
      this.untilLook = ANSWERS_BETWEEN_LOOKS;
      this.value = this.look();
    }
    return this.value;
  }

  private look(): number | undefined {
    const known = this.endpoints().flatMap((endpoint) => this.windows.get(endpoint)?.read() ?? []);
    const median = known.sort((a, b) => a - b)[Math.floor((known.length - 1) / 2)];
    return median === undefined ? undefined : Math.max(median, this.leastMs);
  }
}
