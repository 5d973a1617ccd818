import { Hono } from 'hono';

import { catalogAnswer, DATACENTER, healthAnswer } from './answers.ts';
import type { AgentParts } from './parts.ts';
import type { ServiceRecord } from './records.ts';

/** `/v1/health/service`, `/v1/catalog`: who is there, and who is well. */
export function catalogRoutes({ catalog, blocking, node }: AgentParts): Hono {
  const app = new Hono();

  app.get('/health/service/:service', async (c) => {
    const service = c.req.param('service');
    await blocking(c, () => catalog.indexOf(service));
    const passing = c.req.query('passing');
    const wanted = passing === undefined || passing === 'false' ? () => true : isPassing;
    return c.json(catalog.instancesOf(service).filter(wanted).map((record) => healthAnswer(record, node)));
  });
  app.get('/catalog/datacenters', (c) => c.json([DATACENTER]));
  app.get('/catalog/services', async (c) => {
    await blocking(c, () => catalog.latestIndex());
    const services = Map.groupBy(catalog.all(), ({ service }) => service);
    const tagsOf = (records: readonly ServiceRecord[]) => [...new Set(records.flatMap(({ tags }) => tags))];
    return c.json(Object.fromEntries([...services].map(([service, records]) => [service, tagsOf(records)])));
  });
  app.get('/catalog/service/:service', async (c) => {
    const service = c.req.param('service');
    await blocking(c, () => catalog.indexOf(service));
    return c.json(catalog.instancesOf(service).map((record) => catalogAnswer(record, node)));
  });
  return app;
}

function isPassing({ checks }: ServiceRecord): boolean {
  return checks.every(({ state }) => state.status === 'passing');
}
