import { readFile } from 'node:fs/promises';
import { z } from 'zod';

const samplesFile = z.object({
  tabs: z
    .array(
      z.object({
        query: z.string(),
        variables: z.record(z.string(), z.unknown()).default({}),
        /** sent by this tab; only ever shown to a browser on this machine */
        token: z.string().optional(),
      }),
    )
    .max(50),
});

/** A tab as GraphiQL takes it. */
export interface Tab {
  query: string;
  variables: string;
  headers: string;
}

const PASTE_HERE = 'Bearer paste-a-token-here';

/**
 * The tabs that GraphiQL opens with.
 *
 * @param path         file of SEXTANT_GRAPHIQL_SAMPLES, read anew for each page; null: one empty tab
 * @param isWithToken  whether the tokens of the file may be shown
 */
export async function tabsFrom(path: string | null, isWithToken: boolean): Promise<Tab[]> {
  const samples = path === null ? null : await readSamples(path);
  const tabs = samples?.tabs ?? [{ query: '# Ask the graph.\n{ __typename }\n', variables: {} }];
  return tabs.map(({ query, variables, token }: { query: string; variables: object; token?: string }) => ({
    query,
    variables: JSON.stringify(variables, null, 2),
    headers: JSON.stringify(
      { authorization: token !== undefined && isWithToken ? `Bearer ${token}` : PASTE_HERE },
      null,
      2,
    ),
  }));
}

/** Null while the file is not there, or is none. */
async function readSamples(path: string): Promise<z.output<typeof samplesFile> | null> {
  const text = await readFile(path, 'utf8').catch(() => null);
  if (text === null) return null;
  try {
    return samplesFile.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
