import type { CallOptions } from '#mesh';
import type { GetUserResponse } from '#proto/shop/user/v1/user_pb.js';

import { requestOf } from '../peers/user.ts';
import { nameOf, namedService } from './many-services.ts';
import { startRuntime } from './mesh-peer.ts';
import { answerParent } from './parent.ts';
import { instanceAt } from './static-control-plane.ts';
import { appliedAfterMs, type ObservedCall } from './applied-after.ts';

/** What the client program is told. */
export interface UpdatesArgument {
  readonly otlpEndpoint: string;
  readonly services: number;
  /** Where the instances listen: as many of each service as there are ports. */
  readonly ports: readonly number[];
}

/** One slice of time under load. */
export interface UpdateSlice {
  readonly callsPerSecond: number;
  /** How long after the control plane's word the calls went by it; undefined where nothing was changed. */
  readonly appliedMs: number | undefined;
}

/** Services that are called all the time, and of which the first changes; the others are connected and wait. */
const BUSY_SERVICES = 4;
const IN_FLIGHT = 32;

const { otlpEndpoint, services, ports }: UpdatesArgument = JSON.parse(process.argv[2] ?? '{}');
const { mesh, tracing, controlPlane } = await startRuntime({ otlpEndpoint, sampleRatio: 1 });
const tracer = tracing.tracer({ service: 'order', version: 'bench', instanceId: 'bench' });
const request = requestOf('someone', 0);
const instancesOf = (index: number, at: readonly number[]) => at.map((port) => instanceAt(nameOf(index), '127.0.0.1', port));

const stubs = Array.from({ length: services }, (_, index) => {
  controlPlane.setInstances(nameOf(index), instancesOf(index, ports));
  return mesh.client(namedService(index), { service: '', tracer });
});

function call(index: number, options?: CallOptions): Promise<GetUserResponse> {
  const stub = stubs[index];
  if (!stub) throw new Error(`there is no service ${index}`);
  return stub.getUser(request, options);
}

/** The first call to a service opens its channel, which connects to all of its instances; that may take a while. */
async function openChannels({ from, to }: { from: number; to: number }): Promise<void> {
  for (let index = from; index < to; index += 1) await call(index, { deadlineMs: 30_000 });
}

/**
 * Calls for `ms`. Where `portsOfFirst` is given, the first service has its instances there from the beginning of the slice,
 * which then lasts at least until a call went there.
 */
async function measure({ ms, portsOfFirst }: { ms: number; portsOfFirst?: readonly number[] }): Promise<UpdateSlice> {
  const seen: ObservedCall[] = [];
  const began = performance.now();
  let calls = 0;
  let next = 0;
  let toldMs = Infinity;
  const isApplied = (): boolean => !portsOfFirst || seen.some(({ beganMs, port }) => beganMs >= toldMs && portsOfFirst.includes(port));
  const isOver = (): boolean => performance.now() >= began + ms && isApplied();
  const lane = async (): Promise<void> => {
    while (!isOver()) {
      const index = (next += 1) % Math.min(BUSY_SERVICES, services);
      const beganMs = performance.now();
      const { user } = await call(index);
      calls += 1;
      if (index === 0) seen.push({ beganMs, port: Number(user?.displayName) });
    }
  };
  const lanes = Array.from({ length: IN_FLIGHT }, lane);
  toldMs = performance.now();
  if (portsOfFirst) controlPlane.setInstances(nameOf(0), instancesOf(0, portsOfFirst));
  await Promise.all(lanes);
  const callsPerSecond = (calls * 1_000) / (performance.now() - began);
  return { callsPerSecond, appliedMs: portsOfFirst && appliedAfterMs(seen, toldMs, portsOfFirst) };
}

answerParent({}, { openChannels, measure });
