import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';

import { serve, type ServingProcess } from '../../cli/serving/serve.ts';
import { loadSettings } from '../../cli/settings.ts';
import { startAgent } from '#discovery/agent';
import { createLifecycle, type Log, silentLog, systemClock, systemRandom } from '#kit';
import type { ModuleName } from '#modules';
import { InventoryService } from '#proto/shop/inventory/v1/inventory_pb.js';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';
import { ProductService } from '#proto/shop/product/v1/product_pb.js';
import { UserService } from '#proto/shop/user/v1/user_pb.js';

import { openTestDatabase } from '../database/open-test-database.ts';
import { createTestDatabase, makeTestFolder } from '../database/postgres-fixture.ts';
import { callDirectly } from '../mesh/support/direct.ts';
import { EUR_12_50, requestFor } from '../shop/orders.ts';
import { createTokenOf, signedIn, type TokenOf } from '../shop/shop-callers.ts';
import { type Environment, inherited } from './support/shop-folder.ts';

/** The part of a shop that comes as far as refusing an order for want of stock: no card is charged. */
const SERVICES: readonly ModuleName[] = ['user', 'product', 'inventory', 'order', 'notification'];

/** Places for the services of one test, and what leads to them. */
export interface EventsShop {
  /** For a `mesh` command beside it. */
  readonly environment: Environment;
  readonly databaseUrl: string;
  /** Access tokens of anybody. */
  readonly tokenOf: TokenOf;
  /** Of all that is kept; removed with it. */
  readonly folder: string;
  /** Where mails are. */
  readonly mailFolder: string;
  /** Runs services in this process; by default those that an order needs which is refused. */
  start(more?: Environment, names?: readonly ModuleName[], log?: Log): Promise<ServingProcess>;
  remove(): Promise<void>;
}

export async function makeEventsShop(): Promise<EventsShop> {
  const lifecycle = createLifecycle(silentLog);
  const folder = await makeTestFolder();
  lifecycle.onStop('folder', () => rm(folder, { recursive: true, force: true }));
  const agent = await startAgent({ dataDir: join(folder, 'agent'), host: '127.0.0.1', port: 0, log: silentLog, clock: systemClock, random: systemRandom });
  lifecycle.onStop('agent', () => agent.stop());
  const database = await createTestDatabase();
  lifecycle.onStop('database', database.drop);
  const users = openTestDatabase({ url: database.url, schema: 'user' });
  lifecycle.onStop('tables', users.stop);
  const mailFolder = join(folder, 'mail');
  const settings = {
    ...{ CONSUL_HTTP_ADDR: agent.url, DATABASE_URL: database.url, OTEL_TRACES_EXPORTER: 'none' },
    ...{ MESH_DATA_DIR: join(folder, 'data'), MESH_MAIL_DIR: mailFolder, MESH_LOG_LEVEL: 'warn' },
    // So that a direct caller needs no certificate.
    MESH_EXPLORER: 'true',
    ...Object.fromEntries(SERVICES.map((name) => [`MESH_PORT_${name.toUpperCase()}`, '0'])),
  };
  return {
    environment: { ...inherited(), ...settings },
    databaseUrl: database.url,
    tokenOf: createTokenOf(users),
    folder,
    mailFolder,
    start: async (more = {}, names = SERVICES, log = silentLog) => serve(names, await loadSettings({ ...settings, ...more }), log),
    remove: lifecycle.stop,
  };
}

/** Places an order for what is sold out, with the rights of staff; returns its id. */
export async function placeRefusedOrder({ tokenOf }: EventsShop, { services }: ServingProcess): Promise<string> {
  const callers = services.map(({ name, port }) => [name, callDirectly(port, [signedIn(tokenOf)])] as const);
  const to = (service: ModuleName) => callers.find(([name]) => name === service)?.[1] ?? callDirectly(0);
  try {
    const { user } = await to('user').client(UserService).createUser({ email: 'buyer@example.com', displayName: 'Buyer' });
    const productId = `product-${randomUUID()}`;
    await to('product').client(ProductService).createProduct({ productId, name: 'A product', price: EUR_12_50 });
    await to('inventory').client(InventoryService).setStock({ productId, available: 0n });
    const { order } = await to('order').client(OrderService).placeOrder(requestFor(user?.userId ?? '', productId));
    return order?.orderId ?? '';
  } finally {
    await Promise.all(callers.map(([, caller]) => caller.stop()));
  }
}

/** Takes connections and never answers. */
export async function openSilentPort(): Promise<{ readonly port: number; connections(): number; close(): Promise<void> }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => void sockets.push(socket.on('error', () => undefined))).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' ? (address?.port ?? 0) : 0,
    connections: () => sockets.length,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
