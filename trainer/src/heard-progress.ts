import type { JobProgress } from '@sextant/model-registry';

/** What a training process said: the latest as the job's progress, each new step as a line of its log. */
export class HeardProgress {
  private readonly startedMs = Date.now();
  private latest: { progress: number; step: string } | null = null;
  private lines: string[] = [];

  add(progress: number, step: string): void {
    if (step !== this.latest?.step) this.lines.push(logLine(step));
    this.latest = { progress, step };
  }

  /** Lines since they were taken last. */
  takeLines(): string[] {
    return this.lines.splice(0);
  }

  /** What the job does not know yet; nothing while the process is silent. */
  takeReport(): JobProgress {
    if (!this.latest) return {};
    const { progress } = this.latest;
    const elapsedSeconds = (Date.now() - this.startedMs) / 1000;
    const etaSeconds = progress > 0.05 ? elapsedSeconds * ((1 - progress) / progress) : null;
    return { ...this.latest, etaSeconds, log: this.takeLines() };
  }
}

export function logLine(text: string): string {
  return `${new Date().toISOString()} ${text}`;
}
