import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Stoppable } from '#kit';

export interface ScriptedAnswer {
  readonly status: number;
  /** Text is sent as it is. */
  readonly body: object | string;
  readonly headers?: Record<string, string>;
}

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Answers whatever the test says, for what neither the simulator nor stripe-mock can be brought to do. */
export interface ScriptedStripe extends Stoppable {
  readonly url: string;
  /** Every request from now on is answered by the next of these, and the last goes on for ever. */
  answer(...answers: readonly ScriptedAnswer[]): void;
  /** What was asked since `answer()`. */
  readonly seen: SeenRequest[];
  /** Connections that clients hold open. */
  connections(): Promise<number>;
}

export async function startScriptedStripe(): Promise<ScriptedStripe> {
  let script: readonly ScriptedAnswer[] = [];
  const seen: SeenRequest[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const { method = '', url = '', headers } = request;
    const answer = script[Math.min(seen.length, script.length - 1)] ?? { status: 500, body: 'no script' };
    seen.push({ method, path: url, headers, body });
    response.writeHead(answer.status, { 'content-type': 'application/json', 'request-id': 'req_scripted', ...answer.headers });
    response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A TCP server that listens has such an address.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    answer(...answers) {
      script = answers;
      seen.length = 0;
    },
    connections: () =>
      new Promise((settle, fail) => {
        server.getConnections((error, count) => (error ? fail(error) : settle(count)));
      }),
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
