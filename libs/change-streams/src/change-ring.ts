import type { StreamPosition } from './stream-cursor.js';

/** The newest changes of a feed, oldest first. */
export class ChangeRing<T extends { position: StreamPosition }> {
  private items: T[] = [];
  private start: StreamPosition;

  /** @param start  nothing before it is known */
  constructor(
    private readonly size: number,
    start: StreamPosition,
  ) {
    this.start = start;
  }

  /** Every change after this place is here. */
  get floor(): StreamPosition {
    return this.start;
  }

  push(item: T): void {
    this.items.push(item);
    if (this.items.length < 2 * this.size) return;
    const dropped = this.items.length - this.size;
    this.start = this.items[dropped - 1]?.position ?? this.start;
    this.items = this.items.slice(dropped);
  }

  /** @param position  at or after the floor */
  after(position: StreamPosition): T[] {
    return this.items.filter((item) => item.position > position);
  }
}
