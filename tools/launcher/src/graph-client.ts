/** What the launcher asks of the gateway, as any other client would. */
export class GraphClient {
  constructor(
    readonly url: string,
    private readonly token: string,
  ) {}

  /** @throws Error with the gateway's own message when the answer holds errors */
  async ask<T>(query: string, variables: Record<string, unknown> = {}): Promise<T> {
    const response = await fetch(this.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${this.token}` },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(30_000),
    });
    const answer = (await response.json()) as { data?: T; errors?: { message: string }[] };
    if (answer.errors?.[0] || !answer.data)
      throw new Error(answer.errors?.[0]?.message ?? `the gateway answered ${response.status}`);
    return answer.data;
  }
}
