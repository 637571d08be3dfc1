const MEMBERS = ['query', 'documentId', 'operationName', 'variables', 'extensions'];
/** A name of a member, or a letter that is written as an escape: a parser reads `"\u0071uery"` as `query`. */
const SUSPECT = /"(?:query|documentId|operationName|variables|extensions)"|\\u00[4-7]/g;

/**
 * The member of a GraphQL request that stands in its JSON text more than once. A parser takes the last one, somebody in between may have
 * judged the first.
 *
 * @param text  valid JSON: a request or a list of them
 * @returns null when there is none
 */
export function repeatedMember(text: string): string | null {
  const suspects = suspectsOf(text);
  return suspects.length === 0 ? null : scan(text, suspects);
}

/** Members whose names stand in the text twice, at whatever depth; all of them where letters are escaped. */
function suspectsOf(text: string): readonly string[] {
  const once = new Set<string>();
  const twice = new Set<string>();
  SUSPECT.lastIndex = 0;
  for (let found = SUSPECT.exec(text); found; found = SUSPECT.exec(text)) {
    const [quoted] = found;
    if (quoted.startsWith('\\')) return MEMBERS;
    (once.has(quoted) ? twice : once).add(quoted);
  }
  return Array.from(twice, (quoted) => quoted.slice(1, -1));
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
