import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

import type { Stoppable } from '#kit';

/** What a webhook was told. */
export interface Delivery {
  readonly signature: string;
  readonly body: string;
  readonly event: { readonly id: string; readonly type: string; readonly data: { readonly object: Readonly<Record<string, unknown>> } };
}

export interface WebhookEndpoint extends Stoppable {
  readonly url: URL;
  readonly deliveries: readonly Delivery[];
  /** How the next ones are answered; by default with 200. */
  answer(how: (response: ServerResponse) => void): void;
}

const OK = (response: ServerResponse): void => void response.writeHead(200).end();

/** A webhook that remembers what it was told. */
export async function startWebhookEndpoint(): Promise<WebhookEndpoint> {
  const deliveries: Delivery[] = [];
  let answer = OK;
  const server = createServer(async (request, response) => {
    const body = await text(request);
    deliveries.push({ signature: String(request.headers['stripe-signature']), body, event: JSON.parse(body) });
    answer(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A TCP server that listens has such an address.
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`http://127.0.0.1:${port}/webhooks/stripe`),
    deliveries,
    answer: (how) => void (answer = how),
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
