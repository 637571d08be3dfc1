import { setTimeout as sleep } from 'node:timers/promises';

export interface GraphAnswer<T> {
  status: number;
  data: T | null;
  errors: { message: string; path?: (string | number)[]; extensions?: { code?: string } }[];
}

/** One GraphQL request over HTTP, as any client makes it. */
export async function ask<T>(
  url: string,
  token: string | null,
  query: string,
  variables: Record<string, unknown> = {},
): Promise<GraphAnswer<T>> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query, variables }),
    signal: AbortSignal.timeout(60_000),
  });
  const { data = null, errors = [] } = (await response.json()) as Partial<GraphAnswer<T>>;
  return { status: response.status, data, errors };
}

/** Like {@link ask}, for questions that must succeed. */
export async function askOk<T>(
  url: string,
  token: string,
  query: string,
  variables: Record<string, unknown> = {},
): Promise<T> {
  const { data, errors } = await ask<T>(url, token, query, variables);
  if (errors.length > 0 || data === null)
    throw new Error(`expected an answer, got ${JSON.stringify(errors).slice(0, 2_000)}`);
  return data;
}

/** Waits for a condition, never for a time. */
export async function until<T>(
  what: string,
  limitMs: number,
  probe: () => Promise<T | null | undefined | false>,
): Promise<T> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const found = await probe();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`${what} did not come within ${limitMs} ms`);
    await sleep(50);
  }
}

/** The value of one Prometheus sample, summed over its label sets that match. */
export async function metric(
  url: string,
  name: string,
  labels: Record<string, string> = {},
): Promise<number> {
  const text = await (await fetch(url)).text();
  const wanted = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => wanted.every((label) => line.includes(label)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

/** Trains one model through the graph and waits until it serves. @returns the version's id */
export async function trainThroughGraph(url: string, token: string, task: string): Promise<string> {
  const { trainModel } = await askOk<{ trainModel: { id: string } }>(
    url,
    token,
    'mutation ($input: TrainInput!) { trainModel(input: $input) { id } }',
    { input: { task } },
  );
  const job = await until(`training ${task}`, 240_000, async () => {
    const { trainingJob } = await askOk<{
      trainingJob: {
        state: string;
        failure: { message: string } | null;
        modelVersion: { id: string } | null;
      };
    }>(
      url,
      token,
      'query ($id: ID!) { trainingJob(id: $id) { state failure { message } modelVersion { id } } }',
      {
        id: trainModel.id,
      },
    );
    if (trainingJob.state === 'FAILED')
      throw new Error(`training ${task} failed: ${trainingJob.failure?.message}`);
    return trainingJob.state === 'SUCCEEDED' ? trainingJob : null;
  });
  return job.modelVersion?.id ?? '';
}
