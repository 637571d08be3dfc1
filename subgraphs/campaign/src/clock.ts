/** Injection token of the {@link Clock}, so that tests can hold time still. */
export const CLOCK = Symbol('clock');
