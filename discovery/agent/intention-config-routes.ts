import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { HTTPException } from 'hono/http-exception';

import { badValue } from './fields.ts';
import { entryAnswer } from './intention-answers.ts';
import { INTENTIONS_KIND, readIntentionEntry } from './intention-request.ts';
import { LIMITS } from './limits.ts';
import type { AgentParts } from './parts.ts';

/** `/v1/config` for the entries that hold intentions: apply, get, list and delete, also check-and-set. */
export function intentionConfigRoutes({ intentions, blocking, save }: AgentParts): Hono {
  const app = new Hono();
  const one = `/${INTENTIONS_KIND}/:name`;

  app.put('/', bodyLimit({ maxSize: LIMITS.intentionBytes }), async (c) => {
    const written = intentions.put(readIntentionEntry(await c.req.text()), casOf(c));
    await save();
    return c.json(written);
  });
  app.get(`/${INTENTIONS_KIND}`, async (c) => {
    await blocking(c, intentions.latestIndex);
    return c.json(intentions.entries().map(entryAnswer));
  });
  app.get(one, async (c) => {
    const name = c.req.param('name');
    await blocking(c, intentions.latestIndex);
    const found = intentions.get(name);
    if (!found) throw new HTTPException(404, { message: `Config entry not found for "${INTENTIONS_KIND}" / "${name}"` });
    return c.json(entryAnswer(found));
  });
  app.delete(one, async (c) => {
    const cas = casOf(c);
    const deleted = intentions.delete(c.req.param('name'), cas);
    await save();
    return c.json(cas === undefined ? {} : deleted);
  });
  return app;
}

function casOf(c: Context): number | undefined {
  const text = c.req.query('cas');
  if (text === undefined || text === '') return undefined;
  const cas = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(cas)) return cas;
  throw badValue(`strconv.ParseUint: parsing "${text}": invalid syntax`);
}
