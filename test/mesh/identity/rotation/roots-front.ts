import { createServer, type IncomingMessage, request as send, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Stoppable } from '#kit';

import type { Consul } from '../../../backends/consul.ts';
import { openRootsStream } from './roots-stream.ts';

/**
 * Stands before Consul, and drops roots from its list when a test says so: Consul looks once an hour, for those that were
 * rotated out for twice the lifetime of a leaf, which is an hour at least. All else is Consul's.
 */
export interface RootsFront extends Stoppable {
  /** Of the HTTP API. */
  readonly httpAddr: string;
  readonly grpcAddr: string;
  /** From now on the root that signs is the only one in the list. */
  dropFormer(): void;
}

interface RootsList {
  readonly ActiveRootID: string;
  readonly Roots: readonly { readonly ID: string }[];
}

const ROOTS = '/v1/agent/connect/ca/roots';

export async function openRootsFront({ httpAddr, grpcAddr }: Pick<Consul, 'httpAddr' | 'grpcAddr'>): Promise<RootsFront> {
  let isDropping = false;
  const stream = await openRootsStream(grpcAddr, () => isDropping);
  const list = await openRootsList(httpAddr, () => isDropping);
  return {
    httpAddr: list.httpAddr,
    grpcAddr: stream.grpcAddr,
    dropFormer() {
      isDropping = true;
      list.tell();
      stream.tell();
    },
    stop: async () => void (await Promise.all([list.stop(), stream.stop()])),
  };
}

/** The HTTP API. `tell` answers who waits for a change of the roots. */
async function openRootsList(consul: string, isDropping: () => boolean): Promise<Stoppable & { readonly httpAddr: string; tell(): void }> {
  const { hostname, port } = new URL(consul);
  const waiting = new Set<AbortController>();

  /** What was asked before the change has another index than what is asked after it, so that nobody waits for what has been. */
  function pathOf(asked: string): string {
    const url = new URL(asked, consul);
    const index = Number(url.searchParams.get('index') ?? 0);
    if (isDropping() && index > 1) url.searchParams.set('index', String(index - 1));
    return url.href;
  }

  async function answerRoots({ url = ROOTS }: IncomingMessage, response: ServerResponse): Promise<void> {
    const told = new AbortController();
    waiting.add(told);
    response.once('close', () => void waiting.delete(told));
    const headers = { connection: 'close' };
    const answer = await fetch(pathOf(url), { headers, signal: told.signal }).catch(() => fetch(consul + ROOTS, { headers }));
    const index = Number(answer.headers.get('x-consul-index')) + (isDropping() ? 1 : 0);
    // Documented shape: https://developer.hashicorp.com/consul/api-docs/agent/connect
    const roots = (await answer.json()) as RootsList;
    const listed = roots.Roots.filter(({ ID }) => !isDropping() || ID === roots.ActiveRootID);
    response.writeHead(answer.status, { 'content-type': 'application/json', 'x-consul-index': index }).end(JSON.stringify({ ...roots, Roots: listed }));
  }

  function forward(request: IncomingMessage, response: ServerResponse): void {
    const { method, headers, url: path } = request;
    const onwards = send({ host: hostname, port, method, headers, path }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    onwards.once('error', () => response.destroy());
    response.once('close', () => onwards.destroy());
    request.pipe(onwards);
  }

  const server = createServer((request, response) => {
    if (request.url?.startsWith(ROOTS)) answerRoots(request, response).catch(() => response.destroy());
    else forward(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A TCP server has an address of this shape.
  const bound = server.address() as AddressInfo;
  return {
    httpAddr: `http://127.0.0.1:${bound.port}`,
    tell: () => waiting.forEach((told) => told.abort()),
    async stop() {
      server.closeAllConnections();
      waiting.forEach((told) => told.abort());
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
