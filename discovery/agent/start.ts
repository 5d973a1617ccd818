import type { Server } from 'node:http';
import { type AddressInfo, isIPv6 } from 'node:net';
import { hostname } from 'node:os';
import { createAdaptorServer } from '@hono/node-server';
import { type Clock, errorCode, type Log, newId, type Random, refusal, type Stoppable } from '#kit';

import { createApp } from './app.ts';
import { createBlocking } from './blocking.ts';
import { createAgentCertificates } from './ca-parts.ts';
import { createCatalog } from './catalog.ts';
import { createChanges } from './changes.ts';
import { createCheckRunner } from './check-runner.ts';
import { createIntentionEntries } from './intention-entries.ts';
import { createKeyValues } from './key-values.ts';
import { LIMITS } from './limits.ts';
import type { AgentState } from './records.ts';
import { createStateFile, type StoredState } from './state-file.ts';

export interface EmbeddedAgentOptions {
  /** Folder for its state; made if it is not there. */
  readonly dataDir: string;
  /** Loopback: it asks nobody who they are. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Consul's `default_intention_policy`: what holds where no intention decides. Default `allow`, as in `consul agent -dev`. */
  readonly defaultIntention?: 'allow' | 'deny';
  /** Lifetime of the certificates of services. Default 259,200,000 (72 h), as Consul's. */
  readonly leafTtlMs?: number;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
}

const LEAF_TTL_MS = 72 * 3_600_000;

export interface EmbeddedAgent extends Stoppable {
  /** What CONSUL_HTTP_ADDR would be. */
  readonly url: string;
  readonly port: number;
}

/**
 * Starts the embedded agent: it answers the part of Consul's HTTP API that the
 * shop uses, runs the gRPC checks of what is registered, and keeps its state in
 * a folder. Throws PORT_IN_USE, with `host` and `port` in the metadata: the caller
 * knows which setting moves it.
 */
export async function startAgent(options: EmbeddedAgentOptions): Promise<EmbeddedAgent> {
  const { host, log, clock, random, defaultIntention = 'allow' } = options;
  const file = createStateFile(options.dataDir, () => state, clock, log);
  const state = restore(await file.load(), options);
  const changes = createChanges(clock);
  const catalog = createCatalog(state, clock, changes.notify);
  const keyValues = createKeyValues(state, changes.notify);
  const intentions = createIntentionEntries(state, changes.notify);
  const certificates = createAgentCertificates({ ...authorityOptions(options), nextIndex: () => (state.index += 1), changed: changes.notify });
  const runner = createCheckRunner({ catalog, onOverdue: forget, clock, log });

  function forget(id: string): void {
    runner.end(id);
    if (!catalog.deregister(id)) return;
    log.info({ instance: id }, 'an instance was critical for too long; the embedded agent forgets it');
    file.save().catch((err: unknown) => log.error({ err }, 'the embedded agent could not write its state'));
  }

  const node = { id: state.nodeId, name: hostname(), address: host };
  const blocking = createBlocking(changes, random);
  const parts = { node, catalog, keyValues, intentions, defaultIntention, certificates, runner, blocking, save: file.save };
  const app = createApp(parts, `${host}:${options.port}`, log);
  const { server, port } = await listen((request) => app.fetch(request), options);
  for (const record of catalog.all()) runner.start(record);
  const url = `http://${isIPv6(host) ? `[${host}]` : host}:${port}`;
  log.info({ url }, 'the embedded agent stands in for Consul, on this machine only');

  async function shutDown(): Promise<void> {
    const closed = new Promise((resolve) => server.close(resolve));
    // Requests that wait for a change would keep it open for minutes.
    server.closeAllConnections();
    await Promise.all([closed, runner.stop(), certificates.stop()]);
    await file.save();
  }

  let stopped: Promise<void> | undefined;
  return { url, port, stop: () => (stopped ??= shutDown()) };
}

function authorityOptions({ dataDir, leafTtlMs = LEAF_TTL_MS, clock, random, log }: EmbeddedAgentOptions) {
  return { folder: dataDir, leafTtlMs, clock, random, log };
}

/** How long a connection may be idle. Consul's own has no such limit. */
const IDLE_MS = 120_000;

type Answer = (request: Request) => Response | Promise<Response>;

async function listen(fetch: Answer, { host, port }: EmbeddedAgentOptions): Promise<{ server: Server; port: number }> {
  // Node closes an idle connection after 5 s: a process that is as slow to begin sends its next request into the closing, and hears of a hang-up.
  const serverOptions = { requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: IDLE_MS };
  // Without TLS options the adaptor makes an HTTP/1 server; its type allows for the others.
  const server = createAdaptorServer({ fetch, overrideGlobalObjects: false, serverOptions }) as Server;
  server.maxConnections = LIMITS.connections;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  }).catch((thrown: unknown) => {
    if (errorCode(thrown) !== 'EADDRINUSE') throw thrown;
    throw refusal('PORT_IN_USE', `port ${port} on ${host} is taken by another program; the embedded agent cannot listen there`, {
      metadata: { host, port: String(port) },
      cause: thrown,
    });
  });
  // A TCP server has an address of this shape; only pipes have a string.
  return { server, port: (server.address() as AddressInfo).port };
}

/** Changes that were never written may have taken indexes; starting this much later, none is used twice. */
const INDEX_GAP = 1_000;

/** Instances are critical until their check has run again: nobody knows what became of them meanwhile. */
function restore(stored: StoredState | undefined, { clock, random }: EmbeddedAgentOptions): AgentState {
  if (!stored) return { nodeId: newId(clock, random), index: 1, services: new Map(), keys: new Map(), intentions: new Map() };
  const index = stored.index + INDEX_GAP;
  for (const { state } of stored.services.flatMap(({ checks }) => checks)) {
    Object.assign(state, { status: 'critical', output: '', criticalSince: clock.now(), modifyIndex: index });
  }
  return {
    nodeId: stored.nodeId,
    index,
    services: new Map(stored.services.map((record) => [record.id, record])),
    keys: new Map(stored.keys.map((record) => [record.key, record])),
    intentions: new Map(stored.intentions?.map((record) => [record.name, record])),
  };
}
