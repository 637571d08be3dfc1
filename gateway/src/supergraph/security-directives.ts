import { ACCESS_DIRECTIVES } from '@sextant/platform';
import { type ConstDirectiveNode, type DocumentNode, Kind, valueFromASTUntyped } from 'graphql';

/** Specifications whose directives this gateway enforces under their own names. */
const ENFORCED = new Set(ACCESS_DIRECTIVES.map((name) => `https://specs.apollo.dev/${name}/v0.1`));
/** Specifications that a router must understand to be right, and that the planner does. */
const UNDERSTOOD = /^https:\/\/specs\.apollo\.dev\/(join|inaccessible|context)\/v[\d.]+$/;
/** What a directive is called that somebody relies on to keep something closed. */
const SECURITY_WORD =
  /auth|scope|polic|role|permi|access|secur|protect|guard|allow|deny|forbid|private|restrict|owner/i;
/** Named like one, and none. */
const HARMLESS = new Set<string>([...ACCESS_DIRECTIVES, 'inaccessible']);

/**
 * Names what a supergraph holds that is meant to protect something and that nothing here enforces: a specification linked for
 * SECURITY, one linked for EXECUTION that the planner does not know, an enforced one under another name, and a composed
 * directive with the name of a protection.
 */
export function unenforcedDirectives(document: DocumentNode): string[] {
  const links = linksOf(document).flatMap((link) => {
    const url = String(argumentOf(link, 'url'));
    const purpose = argumentOf(link, 'for');
    if (ENFORCED.has(url)) {
      const alias = argumentOf(link, 'as') ?? argumentOf(link, 'import');
      return alias === undefined ? [] : [`${url} under another name`];
    }
    return purpose === undefined || UNDERSTOOD.test(url) ? [] : [url];
  });
  const named = document.definitions.flatMap((node) => {
    const isSuspect =
      node.kind === Kind.DIRECTIVE_DEFINITION &&
      SECURITY_WORD.test(node.name.value) &&
      !HARMLESS.has(node.name.value) &&
      !node.name.value.startsWith('join__');
    return isSuspect ? [`@${node.name.value}`] : [];
  });
  return [...links, ...named];
}

function linksOf(document: DocumentNode): ConstDirectiveNode[] {
  return document.definitions
    .flatMap((node) =>
      node.kind === Kind.SCHEMA_DEFINITION || node.kind === Kind.SCHEMA_EXTENSION
        ? (node.directives ?? [])
        : [],
    )
    .filter(({ name }) => name.value === 'link');
}

function argumentOf(directive: ConstDirectiveNode, name: string): unknown {
  const argument = directive.arguments?.find((candidate) => candidate.name.value === name);
  return argument && valueFromASTUntyped(argument.value);
}
