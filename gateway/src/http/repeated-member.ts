/** A letter that is written as an escape: a parser reads `"\u0071uery"` as `query`. */
const ESCAPED_LETTER = /\\u00[4-7]/;
const MEMBERS = ['query', 'documentId', 'operationName', 'variables', 'extensions'];

/**
 * The member of a GraphQL request that stands in its JSON text more than once. A parser takes the last one, somebody in between may have
 * judged the first.
 *
 * @param text  valid JSON: a request or a list of them
 * @returns null when there is none
 */
export function repeatedMember(text: string): string | null {
  const suspects = ESCAPED_LETTER.test(text)
    ? MEMBERS
    : MEMBERS.filter((name) => {
        const quoted = `"${name}"`;
        const first = text.indexOf(quoted);
        return first >= 0 && text.indexOf(quoted, first + quoted.length) >= 0;
      });
  return suspects.length === 0 ? null : scan(text, suspects);
}

/** Walks the text once, with an eye on the depth at which keys of a request stand. */
function scan(text: string, suspects: readonly string[]): string | null {
  const keyDepth = text.trimStart().startsWith('[') ? 2 : 1;
  let depth = 0;
  let seen = new Set<string>();
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '{' || character === '[') {
      depth += 1;
      if (depth === keyDepth) seen = new Set();
    } else if (character === '}' || character === ']') depth -= 1;
    else if (character === '"') {
      const end = endOfString(text, at);
      const isKey = depth === keyDepth && isFollowedByColon(text, end);
      const name = isKey ? String(JSON.parse(text.slice(at, end + 1))) : '';
      if (seen.has(name)) return name;
      if (suspects.includes(name)) seen.add(name);
      at = end;
    }
  }
  return null;
}

function isFollowedByColon(text: string, end: number): boolean {
  let at = end + 1;
  while (/\s/.test(text[at] ?? '')) at += 1;
  return text[at] === ':';
}

/** Where the string that opens at `start` is closed. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}
