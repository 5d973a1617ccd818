import { Channel, credentials } from '@grpc/grpc-js';
import type { Meter } from '@opentelemetry/api';

import { type Clock, systemClock } from '#kit';
import { type Client, createIntentionGuard, createMesh, type Handlers, type IntentionGuard, type IntentionGuardOptions, type ListenAs, type LocalCalls } from '#mesh';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';

import { captureLog, type LogLine } from '../../../tracing/captured-log.ts';
import { createTelemetry, type Telemetry } from '../../support/telemetry.ts';
import { createKeeper, type Keeper } from './keeper.ts';

/** How its callers reach it: within the process, under names of their own, or at a port. */
export type Way = LocalCalls | 'port';

export interface GuardedShopOptions extends Partial<Pick<IntentionGuardOptions, 'defaultAction' | 'permissive'>> {
  /** The guard. false: none, which shows what it is good for. */
  readonly isGuarded?: boolean;
  readonly keeper?: Keeper;
  readonly intentions?: IntentionGuardOptions['intentions'];
  readonly clock?: Clock;
  readonly meter?: Meter;
  readonly localCalls?: LocalCalls;
  readonly handlers?: Partial<Handlers<typeof OrderService>>;
}

/** The order service behind its guard. */
export interface GuardedShop {
  readonly keeper: Keeper;
  readonly guard: IntentionGuard;
  readonly telemetry: Telemetry;
  readonly log: readonly LogLine[];
  /** The orders' stub of a service of the same process. */
  orders(caller: string): Client<typeof OrderService>;
  /** Opens a port; who calls there is, in plaintext, nobody or the explorer. Returns its number. */
  listen(peer?: string): Promise<number>;
  /** The orders' stub of somebody who calls a port. */
  ordersAt(port: number): Client<typeof OrderService>;
  stop(): Promise<void>;
}

/** Orders that are always there, and a stream that never ends. */
const HANDLERS: Partial<Handlers<typeof OrderService>> = {
  getOrder: async () => ({}),
  async *watchOrder(_request, { signal }) {
    yield {};
    await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  },
};

export function openGuardedShop(options: GuardedShopOptions = {}): GuardedShop {
  const { isGuarded = true, keeper = createKeeper([]), clock = systemClock, defaultAction = 'consul', permissive = false, localCalls = 'direct', meter } = options;
  const { log, lines } = captureLog('warn');
  const telemetry = createTelemetry();
  const guard = createIntentionGuard({ intentions: options.intentions ?? keeper.store, defaultAction, permissive, clock, log });
  const guarding = isGuarded ? { guards: (method: Parameters<typeof guard.link>[0], service: string) => [guard.link(method, service)], guarded: guard.read } : {};
  const mesh = createMesh({ clock: systemClock, log, openChannel: () => channelTo(1), localCalls, ...(meter && { meter }), ...guarding });
  // Methods that a test leaves out are never called by it.
  const handlers = { ...HANDLERS, ...options.handlers } as Handlers<typeof OrderService>;
  const hosted = mesh.host({ contract: OrderService, handlers, instance: { id: 'order-1', version: '1' }, tracer: telemetry.tracer('order'), log, check: async () => undefined });
  const toStop: (() => Promise<void>)[] = [];
  const tracer = telemetry.tracer('caller');

  return {
    ...{ keeper, guard, telemetry, log: lines },
    orders: (service) => mesh.client(OrderService, { tracer, service }),
    async listen(peer = '') {
      const as: ListenAs = { kind: 'plaintext', peer };
      const { port, stop } = await hosted.listen('127.0.0.1', 0, as);
      toStop.push(stop);
      return port;
    },
    ordersAt(port) {
      const outside = createMesh({ clock: systemClock, log, openChannel: () => channelTo(port) });
      toStop.unshift(outside.stop);
      return outside.client(OrderService, { tracer, service: '' });
    },
    async stop() {
      await guard.stop();
      for (const stop of [mesh.stop, ...toStop]) await stop();
    },
  };
}

function channelTo(port: number): Channel {
  return new Channel(`127.0.0.1:${port}`, credentials.createInsecure(), { 'grpc.enable_http_proxy': 0 });
}

/** Shops for the tests of one `describe`, stopped after each test. */
export function useGuardedShops(): (options?: GuardedShopOptions) => GuardedShop {
  const opened: GuardedShop[] = [];
  afterEach(() => Promise.all(opened.splice(0).map((shop) => shop.stop())));
  return (options) => {
    const shop = openGuardedShop(options);
    opened.push(shop);
    return shop;
  };
}
