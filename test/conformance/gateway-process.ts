import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@sextant/local-services';
import { anIssuer, endProcess, SECRET, startProcess, untilReady } from '../contract/graph-processes.js';

export interface RunningGateway {
  /** of /graphql */
  url: string;
  operationsUrl: string;
  tokenOf: Awaited<ReturnType<typeof anIssuer>>['tokenOf'];
  stop(): Promise<void>;
}

/**
 * The built gateway as a process of its own. Subgraphs that are not there cost it nothing until a field of theirs is asked for.
 *
 * @param env  beside ports, keys and the secret
 */
export async function startGatewayProcess(env: Record<string, string> = {}): Promise<RunningGateway> {
  const folder = await mkdtemp(join(tmpdir(), 'sextant-conformance-'));
  const { publicJwk, tokenOf } = await anIssuer();
  const SEXTANT_JWKS = join(folder, 'jwks.json');
  await writeFile(SEXTANT_JWKS, JSON.stringify({ keys: [publicJwk] }));
  const [PORT, METRICS_PORT] = [await freePort(), await freePort()];
  const { child, failed } = startProcess('gateway', {
    ...{
      PORT,
      METRICS_PORT,
      SEXTANT_JWKS,
      SEXTANT_SIGNING_SECRET: SECRET,
      SEXTANT_AUDIT: 'off',
      LOG_LEVEL: 'error',
    },
    ...env,
  });
  const stop = async (): Promise<void> => {
    await endProcess(child);
    await rm(folder, { recursive: true, force: true });
  };
  const operationsUrl = `http://127.0.0.1:${METRICS_PORT}`;
  const live = Promise.race([untilReady(`http://127.0.0.1:${PORT}/health`), failed]);
  await live.catch((error: unknown) => stop().then(() => Promise.reject(error)));
  return { url: `http://127.0.0.1:${PORT}/graphql`, operationsUrl, tokenOf, stop };
}
