import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { createInterface } from 'node:readline';

/** How a pod reaches the Kubernetes API; the defaults are what Kubernetes puts into each pod that has a service account token. */
export interface KubernetesAccess {
  apiUrl: string;
  /** read again for each request, since tokens expire */
  tokenFile: string;
  caFile: string;
  namespaceFile: string;
}

const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
const IN_CLUSTER: KubernetesAccess = {
  apiUrl: 'https://kubernetes.default.svc',
  tokenFile: `${ACCOUNT}/token`,
  caFile: `${ACCOUNT}/ca.crt`,
  namespaceFile: `${ACCOUNT}/namespace`,
};

const CONNECT_TIMEOUT_MS = 5_000;
/** A connection whose other end is gone is noticed this long, and ten probes, after the last byte. */
const KEEPALIVE_MS = 10_000;
const LONGEST_BODY = 16 * 1024 * 1024;

/** The API refused, e.g. 403 (no Role allows it) or 410 (the version to watch from is too old). */
export class KubernetesApiError extends Error {
  override readonly name = 'KubernetesApiError';

  constructor(
    readonly statusCode: number,
    what: string,
  ) {
    super(`the Kubernetes API answered ${statusCode} to ${what}`);
  }
}

/** GET requests to the Kubernetes API with the pod's service account. */
export class KubernetesApi {
  private readonly access: KubernetesAccess;

  constructor(access: Partial<KubernetesAccess>) {
    this.access = { ...IN_CLUSTER, ...access };
  }

  async ownNamespace(): Promise<string> {
    return (await readFile(this.access.namespaceFile, 'utf8')).trim();
  }

  /** @throws KubernetesApiError for any answer but 200 */
  async get(path: string, signal: AbortSignal): Promise<unknown> {
    const response = await this.open(path, signal);
    const parts: Buffer[] = [];
    let size = 0;
    for await (const part of response as AsyncIterable<Buffer>) {
      size += part.byteLength;
      if (size > LONGEST_BODY) throw new Error(`the Kubernetes API's answer to ${path} is too long`);
      parts.push(part);
    }
    return JSON.parse(Buffer.concat(parts).toString('utf8'));
  }

  /**
   * The events of a watch as they come; ends when the API ends it.
   *
   * @throws KubernetesApiError for any answer but 200
   */
  async *watch(path: string, signal: AbortSignal): AsyncGenerator<unknown> {
    const response = await this.open(path, signal);
    const lines = createInterface({ input: response, crlfDelay: Infinity });
    const broken = new Promise<never>((_resolve, reject) => response.once('error', reject));
    broken.catch(() => undefined);
    const iterator = lines[Symbol.asyncIterator]();
    try {
      for (;;) {
        const { done, value } = await Promise.race([iterator.next(), broken]);
        if (done) return;
        if (value) yield JSON.parse(value);
      }
    } finally {
      response.destroy();
    }
  }

  private async open(path: string, signal: AbortSignal): Promise<IncomingMessage> {
    const { apiUrl, tokenFile, caFile } = this.access;
    const [token, ca] = await Promise.all([readFile(tokenFile, 'utf8'), readFile(caFile)]);
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = request(
        new URL(path, apiUrl),
        {
          ca,
          signal,
          agent: false,
          headers: { authorization: `Bearer ${token.trim()}`, accept: 'application/json' },
        },
        (answer) => {
          clearTimeout(timer);
          answer.socket.setKeepAlive(true, KEEPALIVE_MS);
          resolve(answer);
        },
      );
      const late = (): void => void sent.destroy(new Error('the Kubernetes API does not answer'));
      const timer = setTimeout(late, CONNECT_TIMEOUT_MS);
      sent.once('error', (error) => {
        clearTimeout(timer);
        reject(error);
      });
      sent.end();
    });
    if (response.statusCode === 200) return response;
    response.resume();
    throw new KubernetesApiError(response.statusCode ?? 0, `GET ${path.split('?')[0]}`);
  }
}
