import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Role } from '@sextant/domain';
import type { Sample, Subjects } from './samples.js';
import type { Settings } from './settings.js';

/** A tab of GraphiQL: an operation that can be run as it stands, with a token that may. */
export interface GraphiqlTab {
  query: string;
  variables: Record<string, unknown>;
  token: string;
}

interface Known {
  samples: readonly Sample[];
  subjects: Subjects | null;
  tokens: Readonly<Record<Role, string>>;
}

/** File that the gateway reads the tabs of GraphiQL from. */
export function graphiqlTabsPath({ dataDir }: Settings): string {
  return join(dataDir, 'graphiql.json');
}

/** Writes the tabs: the sample queries, then the product's own queries. Holds tokens, so only its owner may read it. */
export async function writeGraphiqlTabs(settings: Settings, known: Known): Promise<void> {
  const folder = join(settings.repositoryRoot, 'clients/operations');
  const files = (await readdir(folder)).filter((name) => name.endsWith('.graphql')).sort();
  const operations = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')));
  const path = graphiqlTabsPath(settings);
  await writeFile(`${path}.new`, JSON.stringify({ tabs: graphiqlTabs(known, operations) }), { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/**
 * @param operations  texts that begin with a comment `# What it answers; role, role.`
 * @returns tabs of the samples and of those operations that change nothing and whose variables can be filled
 */
export function graphiqlTabs(
  { samples, subjects, tokens }: Known,
  operations: readonly string[],
): GraphiqlTab[] {
  const asked = samples.map(({ title, role, query }) => ({
    query: `# ${title}; ${role}.\nquery ${nameOf(title)} ${query}`,
    variables: {},
    token: tokens[role],
  }));
  const ours = operations.flatMap((query) => {
    const [, name = ''] = /^query (\w+)/m.exec(query) ?? [];
    const variables = subjects ? variablesOf(name, subjects) : undefined;
    return variables ? [{ query, variables, token: tokens[roleOf(query, tokens)] }] : [];
  });
  return [...asked, ...ours];
}

/** A title as the name of an operation, which is what a tab is called. */
function nameOf(title: string): string {
  const words = title.match(/\w+/g) ?? [];
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

function variablesOf(
  name: string,
  { customer, leads, products }: Subjects,
): Record<string, unknown> | undefined {
  const known: Record<string, Record<string, unknown>> = {
    Desk: { after: null },
    Home: { id: customer },
    Leads: { ids: leads },
    Prices: { ids: products },
    Retention: { id: customer },
    Similar: { id: products[0] },
    Visitor: { session: { anonymousRef: 'graphiql', viewed: products } },
    Worth: { id: customer },
  };
  return known[name];
}

/** The first role that the comment names. */
function roleOf(query: string, tokens: Readonly<Record<Role, string>>): Role {
  const [, list = ''] = /^#[^;\n]*;([^.\n]*)\./.exec(query) ?? [];
  const named = list.split(',').map((word) => word.trim());
  return named.find((word): word is Role => Object.hasOwn(tokens, word)) ?? 'marketer';
}
