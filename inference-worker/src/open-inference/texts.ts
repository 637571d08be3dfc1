/** BYTES on the wire: each element is its length as 4 bytes little-endian and then its bytes. */
const LENGTH_BYTES = 4;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes that are no list of texts. */
export class BadTextsError extends Error {}

/**
 * @param elements  how many there must be
 * @throws BadTextsError saying what does not fit
 */
export function readTexts(raw: Buffer, elements: number): string[] {
  const texts: string[] = [];
  let at = 0;
  while (at < raw.length) {
    if (texts.length === elements) throw new BadTextsError(`bytes are left after ${elements} elements`);
    if (at + LENGTH_BYTES > raw.length)
      throw new BadTextsError(`element ${texts.length} has no whole length`);
    const length = raw.readUInt32LE(at);
    at += LENGTH_BYTES;
    if (length > raw.length - at) {
      const message = `element ${texts.length} says it has ${length} bytes, ${raw.length - at} are left`;
      throw new BadTextsError(message);
    }
    texts.push(textOf(raw.subarray(at, at + length), texts.length));
    at += length;
  }
  if (texts.length !== elements)
    throw new BadTextsError(`${elements} elements are wanted, ${texts.length} came`);
  return texts;
}

/** @throws BadTextsError for what ONNX Runtime's texts cannot hold: bytes that are not UTF-8, and a NUL, at which they end */
export function textOf(bytes: Uint8Array, index: number): string {
  if (bytes.includes(0)) throw new BadTextsError(`element ${index} holds a NUL`);
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new BadTextsError(`element ${index} is not UTF-8`, { cause });
  }
}

export function textBytes(texts: readonly string[]): Buffer {
  return Buffer.concat(
    texts.flatMap((text) => {
      const bytes = Buffer.from(text);
      const length = Buffer.allocUnsafe(LENGTH_BYTES);
      length.writeUInt32LE(bytes.length);
      return [length, bytes];
    }),
  );
}
