import { join } from 'node:path';

/** Where programs and libraries that had to be downloaded are kept between runs; gone with node_modules, never committed. */
export const CACHE_DIRECTORY = join(import.meta.dirname, '../../../node_modules/.cache/sextant');
