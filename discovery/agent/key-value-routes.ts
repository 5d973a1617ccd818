import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { HTTPException } from 'hono/http-exception';

import { keyAnswer } from './answers.ts';
import { badRequest } from './fields.ts';
import { LIMITS } from './limits.ts';
import type { AgentParts } from './parts.ts';

const ROOT = '/v1/kv/';
const MAX_KEY_LENGTH = 512;

const tooLarge = (): never => {
  throw new HTTPException(413, { message: `Request body too large, max size: ${LIMITS.valueBytes} bytes.` });
};

/** `/v1/kv`: get (also raw, recursive, blocking), put and delete (also check-and-set). */
export function keyValueRoutes(parts: AgentParts): Hono {
  const { keyValues, save } = parts;
  const app = new Hono();
  app.use(refuseLocks);

  app.get('/*', (c) => readKeys(c, parts));

  app.put('/*', bodyLimit({ maxSize: LIMITS.valueBytes, onError: tooLarge }), async (c) => {
    const key = keyOf(c);
    if (key === '') throw badRequest('Missing key name');
    const cas = numberOf(c, 'cas');
    const write = { value: Buffer.from(await c.req.arrayBuffer()), flags: numberOf(c, 'flags') ?? 0 };
    const written = keyValues.put(key, { ...write, ...(cas !== undefined && { cas }) });
    await save();
    return c.json(written);
  });

  app.delete('/*', async (c) => {
    const key = keyOf(c);
    const isTree = c.req.query('recurse') !== undefined;
    if (isTree) keyValues.deletePrefix(key);
    const deleted = isTree || keyValues.delete(key, numberOf(c, 'cas'));
    await save();
    return c.json(deleted);
  });
  return app;
}

async function readKeys(c: Context, { keyValues, blocking }: AgentParts): Promise<Response> {
  const key = keyOf(c);
  if (c.req.query('keys') !== undefined) throw notKnown('keys');
  if (c.req.query('recurse') !== undefined) {
    await blocking(c, () => keyValues.indexUnder(key));
    const found = keyValues.list(key);
    return found.length === 0 ? c.body(null, 404) : c.json(found.map(keyAnswer));
  }
  if (key === '') throw badRequest('Missing key name');
  await blocking(c, () => keyValues.indexOf(key));
  const found = keyValues.get(key);
  if (!found) return c.body(null, 404);
  if (c.req.query('raw') === undefined) return c.json([keyAnswer(found)]);
  return c.body(Buffer.from(found.value, 'base64'), 200, { 'content-type': 'text/plain' });
}

async function refuseLocks(c: Context, next: () => Promise<void>): Promise<void> {
  for (const option of ['acquire', 'release']) if (c.req.query(option) !== undefined) throw notKnown(option);
  await next();
}

function notKnown(option: string): HTTPException {
  return new HTTPException(501, { message: `the embedded agent does not know ?${option}; run Consul and set CONSUL_HTTP_ADDR to use it` });
}

function keyOf(c: Context): string {
  const { pathname } = new URL(c.req.url);
  try {
    const key = decodeURIComponent(pathname.slice(pathname.indexOf(ROOT) + ROOT.length));
    if (key.length <= MAX_KEY_LENGTH) return key;
  } catch {
    // A stray % in the address; said below.
  }
  throw badRequest(`a key has at most ${MAX_KEY_LENGTH} characters, percent-encoded in the address`);
}

function numberOf(c: Context, name: string): number | undefined {
  const text = c.req.query(name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw badRequest(`?${name} must be a whole number`);
}
