import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { Log } from '#kit';

import { agentRoutes } from './agent-routes.ts';
import { caRoutes } from './ca-routes.ts';
import { catalogRoutes } from './catalog-routes.ts';
import { intentionConfigRoutes } from './intention-config-routes.ts';
import { intentionRoutes } from './intention-routes.ts';
import { keyValueRoutes } from './key-value-routes.ts';
import type { AgentParts } from './parts.ts';
import { refuseForeignHosts } from './refuse-foreign-hosts.ts';

/** The part of Consul's HTTP API that the shop uses; 501 with a sentence for the rest. */
export function createApp(parts: AgentParts, leader: string, log: Log): Hono {
  const app = new Hono();
  app.use('*', refuseForeignHosts);
  app.get('/v1/status/leader', (c) => c.json(leader));
  app.route('/v1/agent', agentRoutes(parts));
  app.route('/v1/kv', keyValueRoutes(parts));
  app.route('/v1/connect/intentions', intentionRoutes(parts));
  app.route('/v1/config', intentionConfigRoutes(parts));
  app.route('/v1', catalogRoutes(parts));
  app.route('/v1', caRoutes(parts));
  app.notFound((c) =>
    c.text(
      `the embedded agent answers only the part of Consul's HTTP API that the shop uses, and ${c.req.method} ${c.req.path} is not in it; ` +
        'run Consul and set CONSUL_HTTP_ADDR to use it\n',
      501,
    ),
  );
  app.onError((thrown, c) => {
    // Consul answers errors as plain text.
    if (thrown instanceof HTTPException) return c.text(thrown.message, thrown.status);
    log.error({ err: thrown, method: c.req.method, path: c.req.path }, 'the embedded agent could not answer');
    return c.text('the embedded agent could not do this; its log has the cause', 500);
  });
  return app;
}
