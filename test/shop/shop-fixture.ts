import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { trace } from '@opentelemetry/api';

import { LEDGER_URL } from '../../cli/books/ledger-place.ts';
import { openDataFolder } from '../../cli/local/data-folder.ts';
import { startSupervisor, type Supervisor } from '../../cli/local/supervisor.ts';
import { channelsThrough, connectControlPlane } from '../../cli/serving/control-plane.ts';
import { createIdentities } from '../../cli/serving/identities.ts';
import { loadSettings } from '../../cli/settings.ts';
import { type Database, openDatabase } from '#database';
import type { ServiceIdentity } from '#discovery';
import { createLifecycle, silentLog, systemClock } from '#kit';
import { type Client, createMesh } from '#mesh';
import { MODULE_NAMES, type ModuleName } from '#modules';
import { InventoryService } from '#proto/shop/inventory/v1/inventory_pb.js';
import { NotificationService } from '#proto/shop/notification/v1/notification_pb.js';
import { OrderService } from '#proto/shop/order/v1/order_pb.js';
import { SagaService } from '#proto/shop/order/v1/saga_pb.js';
import { PaymentService } from '#proto/shop/payment/v1/payment_pb.js';
import { ProductService } from '#proto/shop/product/v1/product_pb.js';
import { ShippingService } from '#proto/shop/shipping/v1/shipping_pb.js';
import { AccountService } from '#proto/shop/user/v1/account_pb.js';
import { UserService } from '#proto/shop/user/v1/user_pb.js';
import { type LedgerEntry, readLedger } from '#stripe-simulator';
import { layCluster } from '../database/lay-cluster.ts';
import { makeTestFolder } from '../database/postgres-fixture.ts';
import { findServices } from '../mesh/idempotency/find-services.ts';

import { asAnswered } from './as-answered.ts';
import { callerOf, createTokenOf, signedIn, stubOf, TEST, type TokenOf } from './shop-callers.ts';

export type Topology = 'micro' | 'monolith';

/** A whole shop in processes of its own: real Postgres, the stand-ins, free ports, a folder of its own. */
export interface Shop {
  readonly users: Client<typeof UserService>;
  readonly accounts: Client<typeof AccountService>;
  readonly products: Client<typeof ProductService>;
  readonly inventory: Client<typeof InventoryService>;
  readonly payments: Client<typeof PaymentService>;
  readonly shipping: Client<typeof ShippingService>;
  readonly orders: Client<typeof OrderService>;
  readonly sagas: Client<typeof SagaService>;
  readonly notifications: Client<typeof NotificationService>;
  readonly supervisor: Supervisor;
  /** What leads a further process to this shop's servers. */
  readonly environment: Readonly<Record<string, string>>;
  /** As which these stubs call what is public, or for people; for further calls. */
  readonly identity: ServiceIdentity;
  /** Access tokens of anybody, as these stubs bring them along. */
  readonly tokenOf: TokenOf;
  /** What the card company has in its books. */
  ledger(orderId: string): Promise<LedgerEntry[]>;
  /** The tables of a service, as their owner. */
  database(name: ModuleName): Database;
  stop(): Promise<void>;
}

export interface ShopOptions {
  readonly topology: Topology;
  /** Program that runs the services; default: the `mesh` command. */
  readonly launcher?: string;
  readonly settings?: Readonly<Record<string, string>>;
}

/** The services as which these stubs call. */
const CALLERS = new Set((await findServices()).flatMap(({ methods }) => methods.map(callerOf)));

const SETTINGS = {
  ...Object.fromEntries(MODULE_NAMES.map((name) => [`MESH_PORT_${name.toUpperCase()}`, '0'])),
  MESH_LOG_LEVEL: 'warn',
  MESH_SAGA_LEASE: '1s',
};

export async function startShop({ topology, launcher, settings = {} }: ShopOptions): Promise<Shop> {
  const lifecycle = createLifecycle(silentLog);
  const folder = await makeTestFolder();
  lifecycle.onStop('folder', () => rm(folder, { recursive: true, force: true }));
  const given = { ...SETTINGS, ...settings, MESH_TOPOLOGY: topology, MESH_DATA_DIR: join(folder, 'data') };
  await layCluster(join(given.MESH_DATA_DIR, 'postgres'));
  const supervisor = await startSupervisor({
    settings: await loadSettings(given),
    folder: openDataFolder(given.MESH_DATA_DIR),
    log: silentLog,
    report: () => {},
    environment: { ...process.env, ...given },
    ...(launcher && { launcher }),
  });
  lifecycle.onStop('supervisor', supervisor.stop);
  const environment: Record<string, string> = { ...given, ...supervisor.environment };
  const controlPlane = await connectControlPlane(await loadSettings(environment), silentLog);
  lifecycle.onStop('control plane', () => controlPlane.stop());
  const identities = createIdentities(controlPlane.certificates);
  lifecycle.onStop('identity', identities.stop);
  const [identity] = await Promise.all([identities.open(TEST), ...[...CALLERS].map(identities.open)]);
  const tracer = trace.getTracer('test');
  const databases = new Map<string, Database>();
  const open = (url: string, schema: string): Database => {
    let database = databases.get(schema);
    if (!database) {
      database = openDatabase({ url, schema, maxConnections: 2, applicationName: 'test', tracer, log: silentLog });
      databases.set(schema, database);
      lifecycle.onStop(schema, database.stop);
    }
    return database;
  };
  const urlOf = (name: ModuleName): string => environment[`DATABASE_OWNER_URL_${name.toUpperCase()}`] ?? '';
  const tokenOf = createTokenOf(open(urlOf('user'), 'user'));
  const mesh = createMesh({ clock: systemClock, log: silentLog, openChannel: channelsThrough(controlPlane, identities), outgoing: [signedIn(tokenOf)], policies: asAnswered });
  lifecycle.onStop('channels', mesh.stop);
  return {
    users: stubOf(UserService, mesh, tracer),
    accounts: stubOf(AccountService, mesh, tracer),
    products: stubOf(ProductService, mesh, tracer),
    inventory: stubOf(InventoryService, mesh, tracer),
    payments: stubOf(PaymentService, mesh, tracer),
    shipping: stubOf(ShippingService, mesh, tracer),
    orders: stubOf(OrderService, mesh, tracer),
    sagas: stubOf(SagaService, mesh, tracer),
    notifications: stubOf(NotificationService, mesh, tracer),
    supervisor,
    environment,
    identity,
    tokenOf,
    ledger: (orderId) => readLedger(open(environment[LEDGER_URL] ?? '', 'stripe_simulator'), { orderId }),
    database: (name) => open(urlOf(name), name),
    stop: lifecycle.stop,
  };
}
