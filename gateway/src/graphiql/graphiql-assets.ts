import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { DomainError } from '@sextant/domain';
import { z } from 'zod';

/** GraphiQL 5 with its editor in one piece. A development dependency: images, where nobody develops, do not hold it. */
const BUNDLE = '@graphql-yoga/render-graphiql/graphiql';

const bundle = z.object({
  js: z.string(),
  css: z.string(),
  editorWorkerService: z.string(),
  graphqlWorker: z.string(),
  jsonWorker: z.string(),
});

/** Starts GraphiQL with the options that the page holds; nothing inline, so that the page needs no exception for scripts. */
const BOOT = `'use strict';
const worker = { editorWorkerService: 'editor', graphql: 'graphql', json: 'json' };
self.MonacoEnvironment = { globalAPI: false, getWorkerUrl: (_, label) => '/graphiql/' + worker[label] + '.worker.js' };
const options = JSON.parse(document.getElementById('options').textContent);
YogaGraphiQL.renderYogaGraphiQL(document.getElementById('root'), options);
`;

export interface Asset {
  type: string;
  /** compressed with gzip */
  body: Buffer;
}

const SCRIPT = 'text/javascript; charset=utf-8';
const compress = promisify(gzip);

/**
 * The files of the page by their names.
 *
 * @throws DomainError CONFIG_INVALID where GraphiQL is not installed
 */
export async function graphiqlAssets(): Promise<ReadonlyMap<string, Asset>> {
  const { js, css, editorWorkerService, graphqlWorker, jsonWorker } = bundle.parse(await loadBundle());
  const files: [string, string, string][] = [
    ['graphiql.js', SCRIPT, js],
    ['boot.js', SCRIPT, BOOT],
    ['graphiql.css', 'text/css; charset=utf-8', css],
    ['editor.worker.js', SCRIPT, editorWorkerService],
    ['graphql.worker.js', SCRIPT, graphqlWorker],
    ['json.worker.js', SCRIPT, jsonWorker],
  ];
  const entries = files.map(
    async ([name, type, text]) => [name, { type, body: await compress(text) }] as const,
  );
  return new Map(await Promise.all(entries));
}

async function loadBundle(): Promise<unknown> {
  try {
    const path = createRequire(import.meta.url).resolve(BUNDLE);
    return await import(pathToFileURL(path).href);
  } catch (cause) {
    const message = `SEXTANT_GRAPHIQL: ${BUNDLE} is not installed here; it comes with the development dependencies`;
    throw new DomainError('CONFIG_INVALID', message, { cause });
  }
}
