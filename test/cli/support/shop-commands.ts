import { expect } from 'chai';

import { MODULE_NAMES } from '#modules';

import type { RunInstance } from '../../../cli/local/control-messages.ts';
import { meshHere } from './in-process.ts';
import type { Environment } from './shop-folder.ts';

/** What `mesh ps --json` says of an instance, as far as tests ask. */
export interface ListedInstance {
  /** `process` for a process that has no registered instance. */
  readonly kind: 'instance' | 'process';
  readonly id: string;
  readonly service: string;
  readonly address: string;
  readonly port: number;
  readonly mtlsPort: number;
  readonly healthy: boolean;
  readonly pid?: number;
}

/** In the order in which `mesh ps` lists them. */
export const SERVICES: readonly string[] = MODULE_NAMES.toSorted();

/** The registered instances. */
export async function ps(environment: Environment): Promise<readonly ListedInstance[]> {
  const { exitCode, stdout, stderr } = await meshHere(['ps', '--json'], environment);
  expect(exitCode, stderr).to.equal(0);
  return (JSON.parse(stdout) as ListedInstance[]).filter(({ kind }) => kind === 'instance');
}

/** The registered instances of one service. */
export async function registered(environment: Environment, service: string): Promise<readonly ListedInstance[]> {
  return (await ps(environment)).filter((instance) => instance.service === service);
}

/** Runs `mesh scale`, which must succeed; returns the instances of the services that it names. */
export async function scale(environment: Environment, ...args: string[]): Promise<readonly RunInstance[]> {
  const { exitCode, stdout, stderr } = await meshHere(['scale', ...args, '--json'], environment);
  expect(exitCode, stderr).to.equal(0);
  return JSON.parse(stdout) as RunInstance[];
}

/** Calls a method as a demo account, which must succeed; returns its answer. */
export async function call(environment: Environment, method: string, request: object): Promise<Record<string, unknown>> {
  const { exitCode, stdout, stderr } = await meshHere(['call', '--as', 'demo', method, JSON.stringify(request), '--json'], environment);
  expect(exitCode, stderr).to.equal(0);
  return JSON.parse(stdout) as Record<string, unknown>;
}

let requests = 0;

/** An order of the demo user that goes through. */
export function orderRequest(): Record<string, unknown> {
  requests += 1;
  return {
    requestId: `test-${process.pid}-${Date.now()}-${requests}`,
    userId: 'demo',
    lines: [{ productId: 'coffee-beans', quantity: 1 }],
    paymentMethod: 'pm_card_visa',
    shippingAddress: { recipient: 'Ada', street: 'Side Street 2', city: 'Berlin', postalCode: '10115', countryCode: 'DE' },
  };
}

export interface PlacedOrder {
  readonly orderId: string;
  readonly state: string;
}

export async function placeOrder(environment: Environment): Promise<PlacedOrder> {
  const { order } = await call(environment, 'order.PlaceOrder', orderRequest());
  return order as PlacedOrder;
}

/** Ids of the demo user's orders. */
export async function orderIds(environment: Environment): Promise<readonly string[]> {
  const { orders = [] } = (await call(environment, 'order.ListOrders', { userId: 'demo' })) as { orders?: PlacedOrder[] };
  return orders.map(({ orderId }) => orderId);
}
