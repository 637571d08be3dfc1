/**
 * Where a key falls in [0, 1): the same key and salt always at the same place, keys evenly spread, salts independent of each other.
 * A share that grows keeps the keys that it had.
 *
 * Source: FNV-1a over UTF-16 code units (Fowler, Noll, Vo), then the finaliser of MurmurHash3 (Appleby), which spreads what
 * FNV leaves together for keys that differ in their last characters only.
 */
export function placeOf(salt: string, key: string): number {
  let hash = fnv1a(0x811c9dc5, salt);
  hash = fnv1a(Math.imul(hash ^ 0xff, 0x01000193), key);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  hash ^= hash >>> 16;
  return (hash >>> 0) / 0x1_0000_0000;
}

function fnv1a(start: number, text: string): number {
  let hash = start;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    hash = Math.imul(hash ^ (unit & 0xff), 0x01000193);
    hash = Math.imul(hash ^ (unit >>> 8), 0x01000193);
  }
  return hash;
}
