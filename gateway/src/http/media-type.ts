export const GRAPHQL_RESPONSE = 'application/graphql-response+json';
export const JSON_TYPE = 'application/json';

/** What an answer may be written as. */
export type ResponseType = typeof GRAPHQL_RESPONSE | typeof JSON_TYPE;

/** A range of the header Accept. */
interface MediaRange {
  type: string;
  quality: number;
}

/**
 * The media type to answer with: the one the client likes best, of two liked equally the newer one. Without a preference it is
 * `application/json`, as clients from before the specification expect.
 *
 * @param accept  the header Accept
 * @returns null when the client takes neither
 *
 * Source: GraphQL over HTTP, "Media Types"; RFC 9110, 12.5.1.
 */
export function negotiate(accept: string | undefined): ResponseType | null {
  if (accept === undefined || accept === '*/*' || accept === JSON_TYPE || accept === '') return JSON_TYPE;
  if (accept === GRAPHQL_RESPONSE) return GRAPHQL_RESPONSE;
  const ranges = accept.split(',').map(readRange);
  const json = qualityOf(ranges, JSON_TYPE);
  const graphql = qualityOf(ranges, GRAPHQL_RESPONSE);
  if (json === 0 && graphql === 0) return null;
  const isNamed = ranges.some(({ type }) => type === GRAPHQL_RESPONSE);
  return graphql > json || (graphql === json && isNamed) ? GRAPHQL_RESPONSE : JSON_TYPE;
}

/** Whether the client names this type itself, not by a wildcard. */
export function names(accept: string | undefined, type: string): boolean {
  return (
    accept !== undefined &&
    accept.split(',').some((range) => {
      const read = readRange(range);
      return read.type === type && read.quality > 0;
    })
  );
}

/** Quality of the most specific range that covers the type. */
function qualityOf(ranges: readonly MediaRange[], type: string): number {
  for (const wanted of [type, 'application/*', '*/*']) {
    const range = ranges.find((candidate) => candidate.type === wanted);
    if (range) return range.quality;
  }
  return 0;
}

function readRange(text: string): MediaRange {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  if (charset !== undefined && !/^charset="?utf-?8"?$/.test(charset)) return { type, quality: 0 };
  const quality = parameters.find((parameter) => parameter.startsWith('q='));
  const value = quality === undefined ? 1 : Number(quality.slice(2));
  return { type, quality: Number.isFinite(value) ? value : 0 };
}
