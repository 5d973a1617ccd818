import { createServer, type IncomingMessage, request as send, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** What becomes of requests to the agent. */
export type AgentMood =
  | 'well'
  /** Every connection is cut. */
  | 'down'
  /** Says that no service has instances. */
  | 'empty'
  /** Every answer has index 1, as after a restart from nothing. */
  | 'index-reset'
  /** Answers a second late. */
  | 'slow';

const LATE_MS = 1_000;
/** Where the instances of a service are asked for. */
const INSTANCES = '/v1/health/service/';

/** An HTTP proxy in front of the agent, at which its answers can be spoilt. */
export interface AgentDoor {
  readonly url: string;
  be(mood: AgentMood): void;
  /** Tells everybody that who listens on one port is to be called on another. The agent itself asks for its health where it is. */
  redirect(from: number, to: number): void;
  stop(): Promise<void>;
}

export async function openAgentDoor(agentUrl: string): Promise<AgentDoor> {
  const agent = new URL(agentUrl);
  const redirected = new Map<number, number>();
  let mood: AgentMood = 'well';
  const server = createServer((request, response) => {
    if (mood === 'down') return void request.socket.destroy();
    const late = mood === 'slow' ? LATE_MS : 0;
    const timer = setTimeout(() => forward(request, response), late);
    response.once('close', () => clearTimeout(timer));
  });

  function forward(request: IncomingMessage, response: ServerResponse): void {
    const { method, headers, url: path } = request;
    const onwards = send({ host: agent.hostname, port: agent.port, method, headers, path }, (answer) => pass(answer, request, response));
    onwards.once('error', () => response.destroy());
    response.once('close', () => onwards.destroy());
    request.pipe(onwards);
  }

  function pass(answer: IncomingMessage, { url = '' }: IncomingMessage, response: ServerResponse): void {
    const headers = { ...answer.headers };
    if (mood === 'index-reset' && headers['x-consul-index']) headers['x-consul-index'] = '1';
    if (url.startsWith(INSTANCES)) {
      // The body that follows may have another length.
      delete headers['content-length'];
      if (mood === 'empty') {
        answer.resume();
        return void response.writeHead(200, headers).end('[]');
      }
      if (redirected.size > 0) return void text(answer).then((body) => response.writeHead(answer.statusCode ?? 500, headers).end(withPorts(body)), () => response.destroy());
    }
    response.writeHead(answer.statusCode ?? 500, headers);
    answer.pipe(response);
  }

  const withPorts = (body: string): string => body.replaceAll(/"Port": ?(\d+)/g, (_, port: string) => `"Port":${redirected.get(Number(port)) ?? port}`);

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A TCP server has an address of this shape.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    redirect: (from, to) => void redirected.set(from, to),
    be(next) {
      mood = next;
      // Queries that wait for a change must feel it too.
      if (next !== 'well') server.closeAllConnections();
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
