/** Texts by their hash, the ones used last, bounded by number and by length together. */
export class DocumentCache {
  private readonly texts = new Map<string, string>();
  private characters = 0;

  constructor(private readonly bounds: { documents: number; characters: number }) {}

  find(hash: string): string | null {
    const text = this.texts.get(hash);
    if (text === undefined) return null;
    this.texts.delete(hash);
    this.texts.set(hash, text);
    return text;
  }

  add(hash: string, text: string): void {
    if (this.find(hash) !== null) return;
    this.texts.set(hash, text);
    this.characters += text.length;
    for (const [oldest, { length }] of this.texts) {
      if (this.texts.size <= this.bounds.documents && this.characters <= this.bounds.characters) return;
      this.texts.delete(oldest);
      this.characters -= length;
    }
  }
}
