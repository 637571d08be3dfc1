import type { ModelRepository } from '@sextant/artefacts';
import type { Logger } from 'pino';
import type { ModelCatalogue } from './model-catalogue.js';
import type { ControlMode } from './model-control.js';
import type { ModelFollower } from './model-follower.js';

export interface WatcherParts {
  repository: ModelRepository;
  follower: ModelFollower;
  catalogue: ModelCatalogue;
  /** explicit: only a first look, whether the repository can be read */
  mode: ControlMode;
  logger: Logger;
}

const LONGEST_BETWEEN_LOOKS_MS = 15_000;

/** Keeps the catalogue equal to what the repository says is live. */
export class RepositoryWatcher {
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private scanning: Promise<void> = Promise.resolve();
  private isAway = false;
  /** of the last look that succeeded */
  private lastRevision: string | null = null;
  private lastLookAt = 0;
  private endFirstLook: () => void = () => undefined;

  constructor(private readonly parts: WatcherParts) {}

  /** Looks at once and then again every `pollMs`; the promise is of the first look that succeeded. */
  start(pollMs: number): Promise<void> {
    const firstLook = new Promise<void>((resolve) => (this.endFirstLook = resolve));
    const look = (): void => {
      this.scanning = this.scan().finally(() => {
        if (!this.stopped) this.timer = setTimeout(look, pollMs);
      });
    };
    look();
    return firstLook;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.scanning;
    this.endFirstLook();
  }

  /** Never rejects: while the repository is away, what is loaded stays in service, and that is said once. */
  private async scan(): Promise<void> {
    try {
      const { repository, mode } = this.parts;
      const isThere = await repository.isThere();
      if (isThere && mode === 'poll') await this.followChanges();
      this.notice(isThere ? undefined : 'not there');
      this.endFirstLook();
    } catch (error) {
      this.notice(error);
    }
  }

  /** Where the repository tells that nothing changed, only now and then: refused versions are tried again, and to be sure. */
  private async followChanges(): Promise<void> {
    const revision = await this.parts.repository.findRevision();
    const isDue = performance.now() - this.lastLookAt >= LONGEST_BETWEEN_LOOKS_MS;
    if (revision !== null && revision === this.lastRevision && !isDue) return;
    this.lastRevision = null;
    await this.followAll();
    this.lastRevision = revision;
    this.lastLookAt = performance.now();
  }

  private async followAll(): Promise<void> {
    const { repository, follower, catalogue } = this.parts;
    const models = await repository.listModels();
    const known = new Set(models);
    for (const model of catalogue.names()) if (!known.has(model)) await follower.retire(model);
    for (const model of models) if (!this.stopped) await follower.follow(model);
  }

  /** @param trouble  an error, or that the repository is not there yet; undefined: it was read */
  private notice(trouble: unknown): void {
    const { repository, logger } = this.parts;
    const { location } = repository;
    const wasAway = this.isAway;
    this.isAway = trouble !== undefined;
    if (wasAway && !this.isAway) logger.info({ location }, 'the model repository can be read again');
    if (wasAway || !this.isAway) return;
    if (!(trouble instanceof Error)) return logger.warn({ location }, 'the model repository is not there');
    const cause = trouble.message;
    logger.error({ location, cause }, 'the model repository cannot be read; what is loaded stays in service');
  }
}
