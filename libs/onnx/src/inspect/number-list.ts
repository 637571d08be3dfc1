/** Numbers of a repeated field, kept in eight bytes each however they were written. */
export class NumberList {
  length = 0;
  private values = new Float64Array(8);

  push(value: number): void {
    if (this.length === this.values.length) {
      const larger = new Float64Array(this.length * 2);
      larger.set(this.values);
      this.values = larger;
    }
    this.values[this.length++] = value;
  }

  toArray(): Float64Array {
    return this.values.subarray(0, this.length);
  }
}
