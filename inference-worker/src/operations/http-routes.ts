/** An answer over HTTP. */
export interface Reply {
  status: number;
  type: string;
  body: string;
  headers?: Readonly<Record<string, string>>;
}

export interface Asked {
  /** what the pattern's groups hold, decoded; empty where a group is absent */
  params: readonly string[];
  body: string;
}

export interface Route {
  method: 'GET' | 'POST';
  /** of the path as it is on the wire, percent-encoded */
  pattern: RegExp;
  answer(asked: Asked): Reply | Promise<Reply>;
}

export function json(status: number, value: unknown): Reply {
  return { status, type: 'application/json', body: JSON.stringify(value) };
}

export function failure(status: number, error: string): Reply {
  return json(status, { error });
}

/** Answers a request by the first route of its path and method; HEAD is GET without the body. */
export async function answerBy(
  routes: readonly Route[],
  { method, path, body }: { method: string; path: string; body: string },
): Promise<Reply> {
  const known = routes.filter(({ pattern }) => pattern.test(path));
  if (known.length === 0) return failure(404, 'nothing is here; / links to what there is');
  const wanted = method === 'HEAD' ? 'GET' : method;
  const route = known.find((each) => each.method === wanted);
  if (!route) return notAllowed(known);
  const params = paramsOf(route.pattern, path);
  if (!params) return failure(400, 'the path is not valid percent-encoding');
  return route.answer({ params, body });
}

function notAllowed(known: readonly Route[]): Reply {
  const methods = new Set(known.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method])));
  const allow = [...methods].join(', ');
  return { ...failure(405, `only ${allow} is answered here`), headers: { allow } };
}

function paramsOf(pattern: RegExp, path: string): string[] | null {
  try {
    return (pattern.exec(path) ?? []).slice(1).map((part = '') => decodeURIComponent(part));
  } catch {
    return null;
  }
}
