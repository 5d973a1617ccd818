import { join } from 'node:path';

import type { ServiceClientConstructor } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

import type { Grpc } from './telemetry.ts';

const PROTO = join(import.meta.dirname, '..', '..', '..', 'proto');

/** Full names of the contracts, by the service that serves them. */
export const CONTRACTS = {
  user: 'shop.user.v1.UserService',
  product: 'shop.product.v1.ProductService',
  inventory: 'shop.inventory.v1.InventoryService',
  payment: 'shop.payment.v1.PaymentService',
  shipping: 'shop.shipping.v1.ShippingService',
  order: 'shop.order.v1.OrderService',
  notification: 'naive.v1.NoticeService',
} as const;

export type ServiceName = keyof typeof CONTRACTS;

const FILES = ['user', 'product', 'inventory', 'payment', 'shipping', 'order'].map((name) => `shop/${name}/v1/${name}.proto`);

/** The client class of each contract, which holds the contract as well; as proto-loader is mostly set up. */
export function loadContracts(grpc: Grpc): Readonly<Record<ServiceName, ServiceClientConstructor>> {
  const includeDirs = [PROTO, join(PROTO, 'vendor'), import.meta.dirname];
  const definition = loadSync([...FILES, 'notice.proto'], { includeDirs, keepCase: true, longs: String, enums: String, defaults: true, oneofs: true });
  const root = grpc.loadPackageDefinition(definition);
  const find = (path: string): unknown => path.split('.').reduce<unknown>((at, name) => Reflect.get(Object(at), name), root);
  // What stands under the name of a service is its client class; proto-loader types it as one of several things.
  return Object.fromEntries(Object.entries(CONTRACTS).map(([name, path]) => [name, find(path)])) as Record<ServiceName, ServiceClientConstructor>;
}
