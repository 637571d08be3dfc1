import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

export interface FollowedFileOptions<T> {
  /** a file, or a folder whose files ending in `.json` are meant */
  path: string;
  /** @throws whatever is wrong with it; at the start that is the caller's, later the value before stays */
  read(path: string): T;
  /** told once of each state that cannot be read */
  onProblem(error: unknown): void;
  onChange?(value: T): void;
  /** pause between two looks */
  pollMs: number;
}

/** The value of a file that may change while the process runs; the last good one where it cannot be read. */
export class FollowedFile<T> {
  private current: T;
  private stamp: string;
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly options: FollowedFileOptions<T>) {
    this.stamp = stampOf(options.path);
    this.current = options.read(options.path);
    this.timer = setInterval(() => this.look(), options.pollMs);
    this.timer.unref();
  }

  get value(): T {
    return this.current;
  }

  close(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    const { path, read, onProblem, onChange } = this.options;
    const stamp = stampOf(path);
    if (stamp === this.stamp) return;
    this.stamp = stamp;
    try {
      this.current = read(path);
    } catch (error) {
      return onProblem(error);
    }
    onChange?.(this.current);
  }
}

/** The file itself, or the JSON files of a folder in the order of their names. */
export function filesAt(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .filter((name) => name.endsWith('.json') && !name.startsWith('.'))
    .sort()
    .map((name) => join(path, name));
}

/** Changes whenever what {@link filesAt} names does. */
function stampOf(path: string): string {
  try {
    return filesAt(path)
      .map((file) => {
        const { mtimeMs, size, ino } = statSync(file);
        return `${file} ${mtimeMs} ${size} ${ino}`;
      })
      .join('\n');
  } catch {
    return 'unreadable';
  }
}
