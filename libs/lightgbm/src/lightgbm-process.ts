import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { DomainError } from '@sextant/domain';
import type {
  LightGbmReply,
  LightGbmRequest,
  PredictRequest,
  TrainedTrees,
  TrainRequest,
} from './lightgbm-messages.js';

const START_LIMIT_MS = 30_000;
const REQUEST_LIMIT_MS = 30 * 60_000;

/**
 * LightGBM in a child process, one request at a time. A fault of the library becomes an error of the request;
 * `close` (or leaving an `await using` block) ends the child.
 */
export class LightGbmProcess implements AsyncDisposable {
  private last: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly child: ChildProcess,
    private readonly library: string,
  ) {}

  /** @throws DomainError LIGHTGBM_UNAVAILABLE when the library cannot be loaded */
  static async open(library: string): Promise<LightGbmProcess> {
    const suffix = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const child = fork(fileURLToPath(new URL(`./lightgbm-child.${suffix}`, import.meta.url)), [library], {
      serialization: 'advanced',
      execArgv: [],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    // An 'error' event that comes between two requests must not end the trainer; the next request meets the dead child.
    child.on('error', () => undefined);
    const opened = new LightGbmProcess(child, library);
    try {
      await opened.reply(null, START_LIMIT_MS);
    } catch (error) {
      await opened.close();
      if (error instanceof DomainError && error.code === 'LIGHTGBM_UNAVAILABLE') throw error;
      throw opened.unavailable(error instanceof Error ? error.message : String(error));
    }
    return opened;
  }

  /**
   * Trains until `rounds` or until `patience` rounds bring no lower validation loss.
   *
   * @throws DomainError TRAINING_FAILED when LightGBM refuses the data or parameters, or its process ends
   */
  async train(request: Omit<TrainRequest, 'kind'>): Promise<TrainedTrees> {
    const reply = await this.ask({ kind: 'train', ...request });
    if (reply.kind !== 'trained')
      throw new DomainError('TRAINING_FAILED', `LightGBM answered ${reply.kind} to train`);
    return { model: reply.model, rounds: reply.rounds, validationLoss: reply.validationLoss };
  }

  /** LightGBM's own margins, shape [n], or SHAP values with the base value last, shape [n, columns + 1]. */
  async predict(request: Omit<PredictRequest, 'kind'>): Promise<Float64Array> {
    const reply = await this.ask({ kind: 'predict', ...request });
    if (reply.kind !== 'predicted') {
      throw new DomainError('TRAINING_FAILED', `LightGBM answered ${reply.kind} to predict`);
    }
    return reply.values;
  }

  async close(): Promise<void> {
    if (this.child.pid === undefined || this.hasEnded()) return;
    const exited = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGKILL');
    await exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private ask(request: LightGbmRequest): Promise<LightGbmReply> {
    const answer = this.last.then(() => this.reply(request, REQUEST_LIMIT_MS));
    this.last = answer.catch(() => undefined);
    return answer;
  }

  private reply(request: LightGbmRequest | null, limitMs: number): Promise<LightGbmReply> {
    const { promise, resolve, reject } = Promise.withResolvers<LightGbmReply>();
    const fail = (why: string): void => reject(new DomainError('TRAINING_FAILED', why));
    const onExit = (code: number | null, signal: string | null): void =>
      fail(`the LightGBM process ended with ${signal ?? `code ${code}`}`);
    const onMessage = (reply: LightGbmReply): void => {
      if (reply.kind === 'failed') fail(`LightGBM: ${reply.message}`);
      else if (reply.kind === 'unavailable') reject(this.unavailable(reply.message));
      else resolve(reply);
    };
    const timer = setTimeout(() => {
      this.child.kill('SIGKILL');
      fail(`LightGBM gave no answer within ${limitMs / 1000} s`);
    }, limitMs);
    this.child.once('message', onMessage).once('exit', onExit).once('error', reject);
    if (this.hasEnded()) {
      onExit(this.child.exitCode, this.child.signalCode);
    } else if (request !== null) {
      this.child.send(request, (error) => error && fail(`LightGBM could not be asked: ${error.message}`));
    }
    return promise.finally(() => {
      clearTimeout(timer);
      this.child.off('message', onMessage).off('exit', onExit).off('error', reject);
    });
  }

  private hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  private unavailable(why: string): DomainError {
    return new DomainError(
      'LIGHTGBM_UNAVAILABLE',
      `${this.library} cannot be loaded as LightGBM 4 (${why}); on Linux it needs libgomp1 (apt-get install libgomp1), on macOS libomp (brew install libomp)`,
    );
  }
}

/**
 * LightGBM where it can be loaded; null elsewhere, with a note for the model card.
 *
 * @param library  its path; null where none was found
 * @param alone    what is trained without it, for the note
 */
export async function openLightGbm(
  library: string | null,
  alone: string,
): Promise<{ lightGbm: LightGbmProcess | null; notes: string[] }> {
  if (library === null) return { lightGbm: null, notes: [`LightGBM is not available here: ${alone}`] };
  try {
    return { lightGbm: await LightGbmProcess.open(library), notes: [] };
  } catch (error) {
    if (!(error instanceof DomainError) || error.code !== 'LIGHTGBM_UNAVAILABLE') throw error;
    return { lightGbm: null, notes: [`${alone}: ${error.message}`] };
  }
}
