export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; throws when it is none. */
  json<T>(): T;
}

/** One request on a connection of its own. */
export async function ask(base: string, method: string, path: string, body?: string): Promise<HttpAnswer> {
  const init = body === undefined ? {} : { body };
  const response = await fetch(base + path, { method, headers: { connection: 'close' }, ...init });
  const text = await response.text();
  const { status, headers } = response;
  // The test names the shape it expects.
  return { status, headers, text, json: <T>() => JSON.parse(text) as T };
}

export function indexOf({ headers }: HttpAnswer): number {
  return Number(headers.get('x-consul-index'));
}
