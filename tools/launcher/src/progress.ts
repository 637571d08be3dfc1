/** One line a step with its time, and a bar on long steps; plain lines where the output is no terminal. */
export class Progress {
  private readonly begun = Date.now();
  private lastTenth = -1;

  constructor(private readonly out: NodeJS.WriteStream) {}

  /** Runs a step and prints its line when it is done; the step may refine the line by returning a note. */
  async step<T>(title: string, work: () => Promise<T>, note: (result: T) => string = () => ''): Promise<T> {
    const started = Date.now();
    this.lastTenth = -1;
    if (this.out.isTTY) this.out.write(`  … ${title}`);
    const result = await work();
    const detail = note(result);
    const seconds = ((Date.now() - started) / 1000).toFixed(1).padStart(6);
    this.line(`${seconds} s  ${title}${detail ? `: ${detail}` : ''}`);
    return result;
  }

  /** @param share  done, in [0, 1] */
  bar(title: string, share: number): void {
    const clamped = Math.max(0, Math.min(1, share));
    const filled = Math.round(clamped * 30);
    const drawn = `[${'█'.repeat(filled)}${'·'.repeat(30 - filled)}] ${String(Math.floor(clamped * 100)).padStart(3)} %  ${title}`;
    if (this.out.isTTY) this.out.write(`\r\u001b[2K  ${drawn}`);
    else if (Math.floor(clamped * 4) > this.lastTenth) {
      this.lastTenth = Math.floor(clamped * 4);
      this.out.write(`          ${drawn}\n`);
    }
  }

  line(text: string): void {
    this.out.write(this.out.isTTY ? `\r\u001b[2K${text}\n` : `${text}\n`);
  }

  /** Ends the line of a step that will not be finished. */
  breakOff(): void {
    if (this.out.isTTY) this.out.write('\n');
  }

  elapsedSeconds(): number {
    return Math.round((Date.now() - this.begun) / 1000);
  }
}
