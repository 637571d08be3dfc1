export type WorkerState = 'starting' | 'ready' | 'draining';

/** Where the process is between start and end; it only ever moves forward. */
export class WorkerLifecycle {
  private current: WorkerState = 'starting';
  private readonly listeners = new Set<() => void>();

  get state(): WorkerState {
    return this.current;
  }

  /** The first look at the repository is done; has no effect while draining. */
  markReady(): void {
    if (this.current === 'starting') this.move('ready');
  }

  startDraining(): void {
    if (this.current !== 'draining') this.move('draining');
  }

  /** @returns a function that ends the subscription */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private move(state: WorkerState): void {
    this.current = state;
    for (const listener of [...this.listeners]) listener();
  }
}
