const MOST_CHARACTERS = 100;
const MOST_SIZES = 8;

/** A value of a request as a message may show it: a status travels in a header and must stay short. */
export function shown(value: string): string {
  return value.length <= MOST_CHARACTERS ? value : `${value.slice(0, MOST_CHARACTERS)}…`;
}

export function shownShape(shape: readonly number[]): string {
  const sizes = shape.slice(0, MOST_SIZES).join(', ');
  return shape.length <= MOST_SIZES ? `[${sizes}]` : `[${sizes}, … ${shape.length} dimensions]`;
}
