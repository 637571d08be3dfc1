import type { ErrorCode } from '@sextant/domain';
import { type DocumentNode, type GraphQLError, Kind, Lexer, Source, TokenKind } from 'graphql';
import { documentFigures, type DocumentShape } from './document-shape.js';
import type { LimitsConfig } from './limits.config.js';
import { refusal } from './refusal.js';

export function documentLimits(config: LimitsConfig): DocumentLimits {
  return new DocumentLimits({
    depth: config.SEXTANT_MAX_DEPTH,
    tokens: config.SEXTANT_MAX_TOKENS,
    aliases: config.SEXTANT_MAX_ALIASES,
    rootFields: config.SEXTANT_MAX_ROOT_FIELDS,
    selections: config.SEXTANT_MAX_SELECTIONS,
    directives: config.SEXTANT_MAX_DIRECTIVES,
  });
}

/** The largest document that is let to validation and planning; every figure is of one operation, fragments in place. */
export interface DocumentBounds {
  depth: number;
  tokens: number;
  aliases: number;
  rootFields: number;
  selections: number;
  directives: number;
}

/** Fragments and operations of one document: validation compares each fragment with each. */
const MAX_FRAGMENTS = 200;
const MAX_OPERATIONS = 50;
/** Brackets inside brackets, of selections, lists and objects; deeper ones would end the parser's stack. */
const MAX_NESTING = 100;
/** Selections of a place that is selected already: validation compares each of them with the others. */
const MAX_REPEATS = 600;

/**
 * What can be told of a document before it is validated, in time linear in its length. Each refusal has a code of its own and
 * says the figure and the bound.
 */
export class DocumentLimits {
  constructor(private readonly bounds: DocumentBounds) {}

  /** Before parsing. A text that is no GraphQL passes: the parser says where. */
  ofText(text: string): GraphQLError | undefined {
    const lexer = new Lexer(new Source(text));
    let tokens = 0;
    let nesting = 0;
    let deepest = 0;
    try {
      for (; lexer.advance().kind !== TokenKind.EOF; tokens++) {
        nesting += NESTING[lexer.token.kind] ?? 0;
        deepest = Math.max(deepest, nesting);
      }
    } catch {
      return undefined;
    }
    if (tokens > this.bounds.tokens) {
      const message = `a document may have ${this.bounds.tokens} tokens, this one has ${tokens}: split it, or move values into variables`;
      return refusal('QUERY_TOO_LONG', message);
    }
    if (deepest <= MAX_NESTING) return undefined;
    return tooDeep(MAX_NESTING, deepest, 'brackets');
  }

  /** After parsing, before validation. */
  ofDocument(document: DocumentNode): readonly GraphQLError[] {
    const crowd = crowdOf(document);
    if (crowd) return [crowd];
    const { largest, cycle, unusedFragments } = documentFigures(document, this.bounds.selections);
    if (cycle !== null)
      return [refusal('QUERY_FRAGMENT_CYCLE', `fragments must not spread themselves: ${short(cycle)}`)];
    const errors = this.beyond(largest);
    if (unusedFragments.length > 0) {
      const named = short(unusedFragments.slice(0, 5).join(', '));
      const message = `${unusedFragments.length} fragments are never spread (${named}): take them out`;
      errors.push(refusal('QUERY_FRAGMENT_UNUSED', message));
    }
    return errors;
  }

  private beyond(shape: DocumentShape): GraphQLError[] {
    const { bounds } = this;
    const errors: GraphQLError[] = [];
    if (shape.depth > bounds.depth) errors.push(tooDeep(bounds.depth, shape.depth, 'fields'));
    const check = (code: ErrorCode, what: string, found: number, bound: number): void => {
      if (found > bound)
        errors.push(refusal(code, `an operation may have ${bound} ${what}, this one has ${found}: split it`));
    };
    check('QUERY_TOO_MANY_ALIASES', 'aliases', shape.aliases, bounds.aliases);
    check('QUERY_TOO_MANY_ROOT_FIELDS', 'root fields', shape.rootFields, bounds.rootFields);
    check('QUERY_TOO_LARGE', 'selections', shape.selections, bounds.selections);
    check('QUERY_TOO_MANY_DIRECTIVES', 'directives', shape.directives, bounds.directives);
    check('QUERY_TOO_REPETITIVE', 'selections of what it selects already', shape.repeats, MAX_REPEATS);
    return errors;
  }
}

const NESTING: Partial<Record<TokenKind, number>> = {
  [TokenKind.BRACE_L]: 1,
  [TokenKind.BRACKET_L]: 1,
  [TokenKind.PAREN_L]: 1,
  [TokenKind.BRACE_R]: -1,
  [TokenKind.BRACKET_R]: -1,
  [TokenKind.PAREN_R]: -1,
};

function crowdOf({ definitions }: DocumentNode): GraphQLError | null {
  const fragments = definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION).length;
  const operations = definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION).length;
  const message = (what: string, bound: number, found: number): string =>
    `a document may have ${bound} ${what}, this one has ${found}: split it`;
  if (fragments > MAX_FRAGMENTS)
    return refusal('QUERY_TOO_LARGE', message('fragments', MAX_FRAGMENTS, fragments));
  if (operations > MAX_OPERATIONS)
    return refusal('QUERY_TOO_LARGE', message('operations', MAX_OPERATIONS, operations));
  return null;
}

function tooDeep(bound: number, found: number, what: string): GraphQLError {
  return refusal('QUERY_TOO_DEEP', `${what} may nest ${bound} deep, this operation nests ${found}: split it`);
}

function short(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
