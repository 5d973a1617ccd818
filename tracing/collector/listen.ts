import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

import { createAdaptorServer } from '@hono/node-server';
import type { NodeRoutes } from './otlp-routes.ts';

import { errorCode, refusal, type Stoppable } from '#kit';

/** A listening HTTP server. */
export interface Listener extends Stoppable {
  readonly url: string;
}

/** Serves `routes` on `host:port`. Throws PORT_IN_USE, or START_FAILED for an address that is not this machine's. */
export async function listen(routes: NodeRoutes, host: string, port: number): Promise<Listener> {
  // The library would replace the process's Request and Response by its own.
  const server = createAdaptorServer({ fetch: routes.fetch, overrideGlobalObjects: false });
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw explain(cause, host, port);
  }
  // A server on a host and port has an address of this kind.
  const bound = server.address() as AddressInfo;
  const shown = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
  return {
    url: `http://${shown}:${bound.port}`,
    async stop() {
      const closed = once(server, 'close');
      server.close();
      if ('closeAllConnections' in server) server.closeAllConnections();
      await closed;
    },
  };
}

function explain(cause: unknown, host: string, port: number): Error {
  const metadata = { host, port: String(port) };
  if (errorCode(cause) === 'EADDRINUSE') {
    return refusal(
      'PORT_IN_USE',
      `port ${port} on ${host} is taken; stop what listens there, or give the span collector another port`,
      { metadata, cause },
    );
  }
  return refusal(
    'START_FAILED',
    `the span collector cannot listen on ${host}:${port} (${errorCode(cause) ?? 'unknown reason'})`,
    { metadata, cause },
  );
}
