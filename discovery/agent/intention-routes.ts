import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { HTTPException } from 'hono/http-exception';

import { badValue } from './fields.ts';
import { intentionAnswer } from './intention-answers.ts';
import { readExactIntention } from './intention-request.ts';
import { LIMITS } from './limits.ts';
import type { AgentParts } from './parts.ts';

/** `/v1/connect/intentions`: list, one by its names, those of a service, and whether a connection may be. */
export function intentionRoutes({ intentions, blocking, save, defaultIntention }: AgentParts): Hono {
  const app = new Hono();

  app.get('/', async (c) => {
    await blocking(c, intentions.latestIndex);
    return c.json(intentions.list().map(intentionAnswer));
  });
  app.get('/match', async (c) => {
    const by = c.req.query('by');
    if (by === undefined) throw badValue('required query parameter \'by\' not set');
    if (by !== 'source' && by !== 'destination') throw badValue('\'by\' parameter must be one of \'source\' or \'destination\'');
    const names = c.req.queries('name') ?? [];
    if (names.length === 0) throw badValue('required query parameter \'name\' not set');
    await blocking(c, intentions.latestIndex);
    return c.json(Object.fromEntries(names.map((name) => [name, intentions.matching(by, name).map(intentionAnswer)])));
  });
  app.get('/check', (c) => {
    const { source, destination } = namesOf(c);
    const deciding = intentions.matching('source', source).find(({ entry }) => [destination, '*'].includes(entry.name));
    // As in Consul: an intention with permissions has no action, and counts as a denial here.
    const action = deciding ? deciding.source.Action : defaultIntention;
    return c.json({ Allowed: action === 'allow' });
  });
  app.get('/exact', async (c) => {
    const { source, destination } = namesOf(c);
    await blocking(c, intentions.latestIndex);
    const found = intentions.list().find((known) => known.source.Name === source && known.entry.name === destination);
    if (!found) throw new HTTPException(404, { message: 'Intention not found' });
    return c.json(intentionAnswer(found));
  });
  app.put('/exact', bodyLimit({ maxSize: LIMITS.intentionBytes }), async (c) => {
    const { source, destination } = namesOf(c);
    intentions.setSource(destination, source, readExactIntention(await c.req.text(), source, destination));
    await save();
    return c.json(true);
  });
  app.delete('/exact', async (c) => {
    const { source, destination } = namesOf(c);
    intentions.setSource(destination, source, undefined);
    await save();
    return c.json(true);
  });
  return app;
}

function namesOf(c: Context): { readonly source: string; readonly destination: string } {
  const [source, destination] = ['source', 'destination'].map((name) => {
    const value = c.req.query(name);
    if (value === undefined || value === '') throw badValue(`required query parameter '${name}' not set`);
    if (value.includes('/')) throw badValue(`${name} "${value}" is invalid: the embedded agent knows no namespaces`);
    return value;
  }) as [string, string];
  return { source, destination };
}
