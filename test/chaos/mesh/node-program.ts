import { closeSync, openSync, writeSync } from 'node:fs';

import { createLifecycle, MeshError, silentLog } from '#kit';
import { newInstanceId } from '#discovery';

import { addWayDown } from '../../../cli/serving/way-down.ts';
import { seededRandom } from '../../kit/support.ts';
import { asLoadClient, type Kind, loadContract, type LoadHandler, loadHandlers, type LoadRequest } from './contract.ts';
import { holdings, residentBytes } from './holdings.ts';
import { join } from './join.ts';
import { liftLimits } from './lift-limits.ts';
import type { NodeOrder, NodeReport, NodeSettings } from './messages.ts';
import { createWorkers } from './workers.ts';

/** One instance of the service that the loads call, composed and stopped as `mesh serve` does it, with a handler of fixed cost. */
const settings: NodeSettings = JSON.parse(process.argv[2] ?? '');
const random = seededRandom(settings.seed);
if (!settings.limits) liftLimits();
const lifecycle = createLifecycle(silentLog);
const { mesh, controlPlane, identity, tracer } = await join(settings.service, settings, lifecycle);
const wayDown = addWayDown(lifecycle);
const effects = openSync(settings.effectsFile, 'a');
const workers = createWorkers(settings.workers);
let behaviour = { slowness: 1, failing: 0 };
let served = 0;

const contract = loadContract(settings.service);
const next = settings.next === undefined ? undefined : asLoadClient(mesh.client(loadContract(settings.next), { service: settings.service, tracer }));

async function work(): Promise<{ instance: string }> {
  await workers.run(settings.serviceMs * behaviour.slowness);
  served += 1;
  if (random.number() < behaviour.failing) throw new MeshError('UNAVAILABLE', 'TEST_FAILS', 'this instance was told to fail');
  return { instance: settings.name };
}

/** Works, and has the next service work. */
const answer = (kind: Kind): LoadHandler => async (request: LoadRequest) => {
  const reply = await work();
  await next?.[kind](request);
  if (kind === 'apply') writeSync(effects, `${request.id}\n`);
  return reply;
};
const handlers = loadHandlers({ read: answer('read'), browse: answer('browse'), hedged: answer('hedged'), apply: answer('apply') });

const id = newInstanceId(settings.service, '127.0.0.1', settings.port, random);
const hosted = mesh.host({ contract, handlers, instance: { id, version: 'test' }, tracer, log: silentLog, check: async () => {} });
// Those that mean harm come without TLS: past the handshake they would meet the same door.
const listening = await hosted.listen('127.0.0.1', settings.port, { kind: 'mtls', identity, permissive: true });
wayDown.servers.onStop('server', listening.stop);
wayDown.noticed.onStop('noticed', listening.untilQuiet);
const registration = await controlPlane.register({
  ...{ service: settings.service, id, address: '127.0.0.1', port: listening.port, version: 'test', zone: settings.zone },
  metadata: { protocol: 'grpc' },
  healthService: contract.typeName,
  tls: true,
});
wayDown.registrations.onStop('registration', registration.stop);
wayDown.health.onStop('health', listening.drain);

const report = (message: NodeReport): void => void process.send?.(message);

process.on('message', (order: NodeOrder) => {
  if (order.kind === 'behave') behaviour = order;
  // A thread that waits, and not one that computes: the others keep the processor.
  else if (order.kind === 'freeze') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, order.ms);
  else report({ kind: 'reading', served, ...holdings(), memoryBytes: residentBytes() });
});

async function leave(): Promise<void> {
  if (settings.drains) await lifecycle.stop();
  closeSync(effects);
  process.exit(0);
}
process.once('SIGTERM', () => void leave());
process.once('disconnect', () => void leave());
report({ kind: 'listening', port: listening.port });
