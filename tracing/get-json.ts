import type { IncomingMessage } from 'node:http';

import { refusal } from '#kit';

export interface JsonAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** How long the other side may say nothing. */
const SILENCE_MS = 5_000;

/**
 * One GET whose answer is JSON, on a connection that ends with it: `fetch` would keep it open, and a command that is
 * done would linger. Rejects with UNREACHABLE when nobody answers, or not in JSON.
 */
export async function getJson(url: string, signal: AbortSignal | undefined): Promise<JsonAnswer> {
  try {
    const response = await ask(new URL(url), signal);
    return { status: response.statusCode ?? 0, body: JSON.parse(await textOf(response)) };
  } catch (cause) {
    signal?.throwIfAborted();
    throw refusal('UNREACHABLE', `${url} does not answer in JSON; check that a Jaeger query API listens there`, {
      cause,
    });
  }
}

async function ask(url: URL, signal: AbortSignal | undefined): Promise<IncomingMessage> {
  const { get } = url.protocol === 'https:' ? await import('node:https') : await import('node:http');
  return new Promise((answered, failed) => {
    const call = get(url, { agent: false, timeout: SILENCE_MS, ...(signal && { signal }) }, answered);
    call.on('timeout', () => call.destroy(new Error(`no answer within ${SILENCE_MS} ms`)));
    call.on('error', failed);
  });
}

async function textOf(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8');
  let text = '';
  for await (const chunk of response) text += chunk;
  return text;
}
