import { X509Certificate } from 'node:crypto';
import { subscribe } from 'node:diagnostics_channel';
import type { Http2Session, ServerHttp2Stream } from 'node:http2';

import { trace } from '@opentelemetry/api';
import { Channel } from '@grpc/grpc-js';

import { connectConsul, discoveryChannelOptions, type ServiceIdentity } from '#discovery';
import { silentLog, systemClock, systemRandom } from '#kit';
import { createMesh, meshCredentials, trustOptions } from '#mesh';

import { nameOf, namedService } from '../rpc/many-services.ts';
import { policiesWithout } from '../rpc/mechanisms.ts';
import { answerParent } from '../rpc/parent.ts';
import { createStaticControlPlane, instanceAt } from '../rpc/static-control-plane.ts';

/** What the program is told. */
export interface RotationArgument {
  /** Of the agent whose authority is followed. */
  readonly registry: string;
  readonly services: number;
}

/** What the program shows, and whom it believes; one entry a service. */
export type Certified = readonly { readonly leaf: string; readonly isByLatestRoot: boolean; readonly roots: number }[];

export interface CallsMade {
  readonly calls: number;
  readonly failed: number;
  /** What the last of those said. */
  readonly failure?: string;
  /** That calls came in by. */
  readonly connections: number;
  /** Certificates that took the place of others. */
  readonly renewals: number;
}

/** Of one caller, between two of its calls. */
const PAUSE_MS = 50;
/** Not the contract's second: what a busy machine does to a call is no failure of a certificate. */
const DEADLINE_MS = 30_000;

const { registry, services: count }: RotationArgument = JSON.parse(process.argv[2] ?? '{}');
const { certificates } = await connectConsul({ address: registry, clock: systemClock, random: systemRandom, log: silentLog });
const tracer = trace.getTracer('none');
const identities = await Promise.all(Array.from({ length: count }, (_, index) => certificates.identity(nameOf(index))));

const sessions = new Set<Http2Session | undefined>();
// Node documents this message and its shape, and types none.
subscribe('http2.server.stream.created', (message) => void sessions.add((message as { readonly stream: ServerHttp2Stream }).stream.session));

const instances = createStaticControlPlane();
const identityOf = (service: string): ServiceIdentity => {
  const identity = identities.find((one) => one.service === service);
  if (!identity) throw new Error(`there is no certificate of ${service}`);
  return identity;
};

/** Each attempt that fails is seen: nothing tries again. */
const mesh = createMesh({
  clock: systemClock,
  log: silentLog,
  ...policiesWithout('retries'),
  openChannel: (service, options, caller) =>
    new Channel(`consul:///${service}`, meshCredentials(identityOf(caller), service), { ...options, ...discoveryChannelOptions(instances), ...trustOptions(identityOf(caller)) }),
});
/** Those here are called by the other program, and none of them by its own. */
const hosts = createMesh({ clock: systemClock, log: silentLog, openChannel: callsNobody });
const ports = await Promise.all(identities.map((identity, index) => host(identity, index)));

function callsNobody(): never {
  throw new Error('it calls nobody');
}

async function host(identity: ServiceIdentity, index: number): Promise<number> {
  const handlers = { getUser: async () => ({}), createUser: async () => ({}), listUsers: async () => ({}) };
  const hosting = hosts.host({ contract: namedService(index), handlers, tracer, log: silentLog, check: async () => {} });
  const { port } = await hosting.listen('127.0.0.1', 0, { kind: 'mtls', identity, permissive: false });
  return port;
}

const ending = new AbortController();
const made = { calls: 0, failed: 0, failure: undefined as string | undefined };
let calling: Promise<unknown> = Promise.resolve();

/** Every service here calls every other one at these ports, until `end`. */
async function begin(others: readonly number[]): Promise<void> {
  others.forEach((port, index) => instances.setInstances(nameOf(index), [instanceAt(nameOf(index), '127.0.0.1', port)]));
  const pairs = identities.flatMap((_, from) => identities.flatMap((__, to) => (to === from ? [] : [{ from, to }])));
  calling = Promise.all(pairs.map(({ from, to }) => keepCalling(from, to)));
}

async function keepCalling(from: number, to: number): Promise<void> {
  const client = mesh.client(namedService(to), { service: nameOf(from), tracer });
  while (!ending.signal.aborted) {
    made.calls += 1;
    await client.getUser({ userId: 'anybody' }, { deadlineMs: DEADLINE_MS }).catch((thrown: unknown) => {
      made.failed += 1;
      made.failure = thrown instanceof Error ? thrown.message : String(thrown);
    });
    await systemClock.sleep(PAUSE_MS, ending.signal).catch(() => undefined);
  }
}

async function end(): Promise<CallsMade> {
  ending.abort();
  await calling;
  const { failure, ...counted } = made;
  return { ...counted, ...(failure !== undefined && { failure }), connections: sessions.size, renewals: certificates.counts().renewals };
}

async function certified(): Promise<Certified> {
  return identities.map((identity) => {
    const { roots } = identity.trust();
    const leaf = new X509Certificate(identity.leaf().chainPem);
    return { leaf: leaf.fingerprint256, isByLatestRoot: leaf.verify(new X509Certificate(roots[0] ?? '').publicKey), roots: roots.length };
  });
}

answerParent({ ports }, { begin, end, certified });
