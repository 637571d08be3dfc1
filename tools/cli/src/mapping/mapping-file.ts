import { readFileSync } from 'node:fs';
import { DomainError } from '@sextant/domain';
import { type Document, isNode, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { type Mapping, mappingSchema } from './mapping-schema.js';

const GUIDE = 'docs/guides/import.md explains the keys';

/** @throws DomainError MAPPING_INVALID when the file cannot be read, or is no valid mapping */
export function readMapping(path: string): Mapping {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new DomainError(
      'MAPPING_INVALID',
      `mapping ${path} cannot be read: check the path given with --mapping`,
      { cause },
    );
  }
  return parseMapping(text, path);
}

/** @param name  how messages call the file */
export function parseMapping(text: string, name: string): Mapping {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [broken] = document.errors;
  if (broken) {
    const { line } = lines.linePos(broken.pos[0]);
    throw new DomainError('MAPPING_INVALID', `mapping ${name} line ${line} is no YAML: ${broken.message}`, {
      path: `${line}`,
    });
  }
  const parsed = mappingSchema.safeParse(document.toJS());
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => {
    const { path, message } = mostSpecific(issue, []);
    const key = spell(path);
    return `mapping ${name} line ${lineOf(document, lines, path)}: ${key === '' ? 'the file' : key} ${message}`;
  });
  throw new DomainError('MAPPING_INVALID', `${problems.join('\n')}\n${GUIDE}`, {
    path: spell(parsed.error.issues[0]?.path ?? []),
  });
}

interface Problem {
  path: readonly PropertyKey[];
  message: string;
}

/** A union reports one list of issues per branch: the branch that got further than the kind of value tells more than the union. */
function mostSpecific(issue: z.core.$ZodIssue, before: readonly PropertyKey[]): Problem {
  const path = [...before, ...issue.path];
  const own = { path, message: issue.message };
  if (issue.code !== 'invalid_union') return own;
  const inner = issue.errors
    .flat()
    .map((nested) => ({ code: nested.code, problem: mostSpecific(nested, path) }));
  const further =
    inner.find(({ code }) => code === 'unrecognized_keys' || code === 'custom') ??
    inner.find(({ problem }) => problem.path.length > path.length);
  return further?.problem ?? own;
}

/** The line of the deepest node on the path that the file has. */
function lineOf(document: Document, lines: LineCounter, path: readonly PropertyKey[]): number {
  for (let depth = path.length; depth >= 0; depth--) {
    const node: unknown = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}

function spell(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, part) =>
      typeof part === 'number' ? `${text}[${part}]` : text === '' ? String(part) : `${text}.${String(part)}`,
    '',
  );
}
