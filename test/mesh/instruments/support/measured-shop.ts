import { Channel, type ChannelOptions, credentials } from '@grpc/grpc-js';

import { type ControlPlane, discoveryChannelOptions, type InstanceListener } from '#discovery';
import { silentLog, systemClock } from '#kit';
import { type Client, createMesh, type FaultsInForce, type Handlers, type Listening, type Mesh, type Policies } from '#mesh';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';

import { instance } from '../../../discovery/support/instances.ts';
import { createTelemetry } from '../../support/telemetry.ts';
import { createReadableMeter, type ReadableMeter } from './meter.ts';

export type Transport = 'local' | 'remote';

export interface ShopOptions {
  readonly transport?: Transport;
  readonly handlers: Partial<Handlers<typeof OrderService>>;
  /** How many instances the caller knows of; all of them are the one that there is. Default: 1. */
  readonly instances?: number;
  readonly policies?: Policies;
  readonly faults?: FaultsInForce;
  /** Whether both meshes have a meter. Default: yes. */
  readonly measured?: boolean;
}

/** Somebody who calls orders, and orders: over the network two meshes with a meter each, else one. */
export interface MeasuredShop {
  readonly orders: Client<typeof OrderService>;
  readonly caller: ReadableMeter;
  readonly service: ReadableMeter;
  readonly listening: Listening;
  readonly meshes: readonly Mesh[];
  stop(): Promise<void>;
}

async function openShop(options: ShopOptions): Promise<MeasuredShop> {
  const { transport = 'remote', instances = 1, handlers, policies, faults, measured = true } = options;
  const at = { port: 1, instances };
  const open = (meter: ReadableMeter): Mesh =>
    createMesh({
      ...{ clock: systemClock, log: silentLog, openChannel: (service, channel) => channelTo(service, channel, at) },
      ...(measured && { meter: meter.meter }),
      ...(policies && { policies }),
      ...(faults && { faults }),
    });
  const service = createReadableMeter();
  const serving = open(service);
  const caller = transport === 'local' ? service : createReadableMeter();
  const calling = transport === 'local' ? serving : open(caller);
  const tracer = createTelemetry().tracer('test');
  // Methods that a test leaves out are never called by it.
  const complete = handlers as Handlers<typeof OrderService>;
  const listening = await serving.host({ contract: OrderService, handlers: complete, tracer, log: silentLog, check: async () => undefined }).listen('127.0.0.1', 0);
  at.port = listening.port;
  const meshes = [...new Set([calling, serving])];
  return {
    ...{ orders: calling.client(OrderService, { service: '', tracer }), caller, service, listening, meshes },
    async stop() {
      await Promise.all(meshes.map((mesh) => mesh.stop()));
      await listening.stop();
      await Promise.all([...new Set([caller, service])].map((meter) => meter.stop()));
    },
  };
}

interface Where {
  readonly port: number;
  readonly instances: number;
}

/** Found as in a mesh, so that the balancer picks. */
function channelTo(name: string, options: ChannelOptions, at: Where): Channel {
  const plane = {
    watchInstances(service: string, listener: InstanceListener) {
      listener.onInstances(Array.from({ length: at.instances }, (_, index) => instance(`order-${index}`, { service, port: at.port })));
      return { stop: async () => undefined };
    },
  };
  // The resolver uses nothing else of it.
  return new Channel(`consul:///${name}`, credentials.createInsecure(), { ...options, ...discoveryChannelOptions(plane as unknown as ControlPlane) });
}

/** A shop for the tests of one `describe`, stopped after each test. */
export function useShop(): (options: ShopOptions) => Promise<MeasuredShop> {
  let shop: MeasuredShop | undefined;
  afterEach(async () => {
    await shop?.stop();
    shop = undefined;
  });
  return async (options) => (shop = await openShop(options));
}
