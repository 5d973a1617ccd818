import type { DescService } from '@bufbuild/protobuf';
import { trace } from '@opentelemetry/api';

import { connectTokens, type Tokens } from '../../../cli/serving/connect-tokens.ts';
import { loadSettings } from '../../../cli/settings.ts';
import { createIdentification } from '../../../mesh/identity/identification.ts';
import { createIdempotencyStore, type Database, idempotencyMigrations, migrate } from '#database';
import { createPostgresBus } from '#events';
import { createLifecycle, type Lifecycle, silentLog, systemClock, systemRandom } from '#kit';
import { type Client, createAuthorization, createMesh, type Mesh, type VerifyToken } from '#mesh';
import { loadModule, MODULE_NAMES, type ModuleName } from '#modules';
import { AccountService } from '#proto/shop/user/v1/account_pb.js';
import type { ServiceModule } from '#service-module';
import { SIMULATOR_KEY } from '#stripe-simulator';

import { openTestDatabase } from '../../database/open-test-database.ts';
import { createTestDatabase } from '../../database/postgres-fixture.ts';
import { startSimulatorFixture } from '../../payment/simulator/simulator-fixture.ts';

/** The services of the shop in this process, without what they do in the background. */
export interface ShopInstance {
  /** A stub as one of the services, or any other caller, has it. */
  stub<S extends DescService>(contract: S, caller: string): Client<S>;
}

export interface InProcessShop {
  /** Enforces who may call. */
  readonly guarded: ShopInstance;
  /** Does not, on the same tables. */
  readonly open: ShopInstance;
  database(name: ModuleName): Database;
  stop(): Promise<void>;
}

type Modules = ReadonlyMap<ModuleName, ServiceModule>;
type Databases = ReadonlyMap<ModuleName, Database>;
type SettingsOfShop = Awaited<ReturnType<typeof loadSettings>>['values'];

const common = { clock: systemClock, random: systemRandom, log: silentLog };
const tracer = trace.getTracer('test');

export async function startInProcessShop(): Promise<InProcessShop> {
  const lifecycle = createLifecycle(silentLog);
  const [place, simulator] = [await createTestDatabase(), await startSimulatorFixture()];
  lifecycle.onStop('tables', place.drop);
  lifecycle.onStop('simulator', simulator.remove);
  const modules: Modules = new Map(await Promise.all(MODULE_NAMES.map(async (name) => [name, await loadModule(name)] as const)));
  await Promise.all([...modules].map(([schema, { migrations }]) => migrate({ url: place.url, schema, components: migrations, log: silentLog })));
  const databases = new Map<ModuleName, Database>();
  for (const name of modules.keys()) {
    const database = openTestDatabase({ url: place.url, schema: name });
    lifecycle.onStop(name, database.stop);
    databases.set(name, database);
  }
  const { values } = await loadSettings({ STRIPE_API_KEY: SIMULATOR_KEY, MESH_STRIPE_URL: simulator.url() });
  const instance = (enforce: boolean): ShopInstance => startInstance({ enforce, modules, databases, settings: values, lifecycle });
  return {
    guarded: instance(true),
    open: instance(false),
    database: (name) => of(databases, name),
    stop: lifecycle.stop,
  };
}

interface InstanceOptions {
  readonly enforce: boolean;
  readonly modules: Modules;
  readonly databases: Databases;
  readonly settings: SettingsOfShop;
  readonly lifecycle: Lifecycle;
}

function startInstance({ enforce, modules, databases, settings, lifecycle }: InstanceOptions): ShopInstance {
  // The user service of this very mesh says what there is to know of tokens.
  const verify: VerifyToken = (token) => tokens.verify(token);
  const authorization = createAuthorization({ verify, ...common });
  lifecycle.onStop('authorization', authorization.stop);
  const identification = createIdentification({ verify, ...common });
  lifecycle.onStop('identification', identification.stop);
  const mesh = createMesh({
    ...common,
    guards: (method) => [(enforce ? authorization : identification).link(method)],
    outgoing: [authorization.forward],
    openChannel(service) {
      throw new Error(`${service} is not in this process`);
    },
  });
  lifecycle.onStop('mesh', mesh.stop);
  const tokens: Tokens = connectTokens({ accounts: mesh.client(AccountService, { tracer, service: 'user' }), ...common });
  for (const [name, module] of modules) hostModule(name, module, mesh, of(databases, name), settings, lifecycle);
  lifecycle.onStop('tokens', tokens.stop);
  return { stub: (contract, caller) => mesh.client(contract, { tracer, service: caller }) };
}

function hostModule(name: ModuleName, module: ServiceModule, mesh: Mesh, database: Database, settings: SettingsOfShop, { onStop }: Lifecycle): void {
  const clients = Object.fromEntries(Object.entries(module.dependencies).map(([key, contract]) => [key, mesh.client(contract, { tracer, service: name })]));
  // Nothing is published or consumed: that happens in the background.
  const bus = createPostgresBus({ database, ...common });
  const built = module.build({ ...common, tracer, clients, database, bus, settings, sagaHooks: {}, eventHooks: {} });
  onStop(`${name} work`, async () => built.stop?.());
  mesh.host({
    ...{ contract: module.contract, handlers: built.handlers, further: built.operations ? [built.operations] : [] },
    ...(module.migrations.includes(idempotencyMigrations) && { idempotency: createIdempotencyStore(database) }),
    ...{ tracer, log: silentLog, check: database.ping },
  });
}

function of<K, V>(map: ReadonlyMap<K, V>, key: K): V {
  const found = map.get(key);
  if (found === undefined) throw new Error(`there is no ${String(key)}`);
  return found;
}
