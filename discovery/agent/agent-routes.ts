import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { HTTPException } from 'hono/http-exception';

import { agentServiceAnswer, checkAnswer, DATACENTER } from './answers.ts';
import type { AgentParts } from './parts.ts';
import { LIMITS } from './limits.ts';
import { readRegistration } from './registration-request.ts';

/** `/v1/agent`: what this agent itself knows, and registration. */
export function agentRoutes({ catalog, runner, node, save, defaultIntention }: AgentParts): Hono {
  const app = new Hono();

  app.get('/self', (c) =>
    c.json({
      Config: { Datacenter: DATACENTER, NodeName: node.name, NodeID: node.id, Server: true, Version: 'shopmesh' },
      Member: { Name: node.name, Addr: node.address, Status: 1 },
      DebugConfig: { DefaultIntentionPolicy: defaultIntention },
    }),
  );
  app.get('/services', (c) => c.json(Object.fromEntries(catalog.all().map((record) => [record.id, agentServiceAnswer(record)]))));
  app.get('/service/:id', (c) => {
    const record = catalog.get(c.req.param('id'));
    if (!record) throw new HTTPException(404, { message: `unknown service ID: ${c.req.param('id')}` });
    return c.json(agentServiceAnswer(record));
  });
  app.get('/checks', (c) => {
    const checks = catalog.all().flatMap((record) => record.checks.map((check) => checkAnswer(check, record, node)));
    return c.json(Object.fromEntries(checks.map((check) => [check.CheckID, check])));
  });

  app.put('/service/register', bodyLimit({ maxSize: LIMITS.registrationBytes }), async (c) => {
    const request = readRegistration(await c.req.text());
    if (!catalog.get(request.id) && catalog.all().length >= LIMITS.services) {
      throw new HTTPException(507, { message: `the embedded agent keeps at most ${LIMITS.services} instances; run Consul for more` });
    }
    catalog.register(request);
    const record = catalog.get(request.id);
    if (record) runner.start(record);
    await save();
    return c.body(null);
  });
  app.put('/service/deregister/:id', async (c) => {
    const id = c.req.param('id');
    runner.end(id);
    if (!catalog.deregister(id)) {
      throw new HTTPException(404, { message: `Unknown service ID "${id}". Ensure that the service ID is passed, not the service name.` });
    }
    await save();
    return c.body(null);
  });
  return app;
}
