/**
 * Names that come from outside, as labels of metrics and fields of logs: the first so many plain ones are told apart, all others are
 * `other`, so that nobody can blow up a time series store, or write what is not a name, by sending many.
 */
export class BoundedNames {
  private readonly known: Set<string>;

  /**
   * @param most   names that are told apart, the ones given here included
   * @param known  names that are told apart in any case
   */
  constructor(
    private readonly most: number,
    known: Iterable<string> = [],
  ) {
    this.known = new Set(known);
  }

  /** @returns `none` where there is no name */
  of(name: string | null | undefined): string {
    if (name === null || name === undefined || name === '') return 'none';
    if (this.known.has(name)) return name;
    if (this.known.size >= this.most || !/^\w[\w.-]{0,63}$/.test(name)) return 'other';
    this.known.add(name);
    return name;
  }
}
