import { createIdempotencyStore, type Database, idempotencyMigrations, migrate, type Transaction } from '#database';
import { silentLog, systemClock } from '#kit';
import { type Client, type ClientInterceptor, createMesh, type Handlers, type IdempotencyStore, type Mesh, once } from '#mesh';
import { InventoryService } from '#proto/shop/inventory/v1/inventory_pb.js';

import { openTestDatabase } from '../../database/open-test-database.ts';
import { createTestDatabase } from '../../database/postgres-fixture.ts';
import { createTelemetry, type Telemetry } from '../support/telemetry.ts';

type Inventory = Handlers<typeof InventoryService>;

export interface InstanceOptions {
  /** What it does with calls; default of SetStock: {@link CountingShop.set}, once. */
  readonly handlers?: Partial<Inventory>;
  /** Default: that of the database. */
  readonly store?: IdempotencyStore | undefined;
  /** Between the retries of the instance's client and its server. */
  readonly client?: readonly ClientInterceptor[];
}

/** Instances of a service that only counts its effects, on one real database. */
export interface CountingShop {
  readonly database: Database;
  readonly store: IdempotencyStore;
  readonly telemetry: Telemetry;
  /** A new instance, and the stub that leads to it. */
  open(options?: InstanceOptions): Client<typeof InventoryService>;
  /** The effect of SetStock: one more row, and the answer for it. */
  set(tx: Transaction, productId: string, available: bigint): Promise<{ stock: { productId: string; available: bigint; received: bigint } }>;
  /** The effects that a product has seen, oldest first. */
  effects(productId: string): Promise<bigint[]>;
  stop(): Promise<void>;
}

const CREATE = { name: 'test.create', text: 'CREATE TABLE effect (n bigint GENERATED ALWAYS AS IDENTITY, product_id text, available bigint)' };
const ADD = { name: 'test.add', text: 'INSERT INTO effect (product_id, available) VALUES ($1, $2) RETURNING n' };
const READ = { name: 'test.read', text: 'SELECT available FROM effect WHERE product_id = $1 ORDER BY n' };

export async function startCountingShop(): Promise<CountingShop> {
  const place = await createTestDatabase();
  await migrate({ url: place.url, schema: 'shop', components: [idempotencyMigrations], log: silentLog });
  const database = openTestDatabase({ url: place.url, maxConnections: 10 });
  await database.query(CREATE, []);
  const store = createIdempotencyStore(database);
  const meshes: Mesh[] = [];
  const telemetry = createTelemetry();
  const tracer = telemetry.tracer('test');

  async function set(tx: Transaction, productId: string, available: bigint) {
    const [row] = await tx.query<{ n: bigint }>(ADD, [productId, available]);
    // Another one for each effect, so that an answer tells of which it is.
    return { stock: { productId, available, received: row?.n ?? 0n } };
  }

  const setStock: Inventory['setStock'] = ({ productId, available }, call) => database.transaction('test.set', (tx) => once(call, tx, () => set(tx, productId, available)));

  function open({ handlers = {}, client = [], ...given }: InstanceOptions = {}): Client<typeof InventoryService> {
    const openChannel = (): never => {
      throw new Error('everything is called within the process');
    };
    // Through their bytes, as between processes.
    const mesh = createMesh({ clock: systemClock, log: silentLog, openChannel, localCalls: 'fidelity', interceptors: { client } });
    meshes.push(mesh);
    // The other methods are never called.
    const complete = { setStock, ...handlers } as Inventory;
    const idempotency = 'store' in given ? given.store : store;
    mesh.host({ contract: InventoryService, handlers: complete, idempotency, tracer, log: silentLog, check: database.ping });
    return mesh.client(InventoryService, { service: '', tracer });
  }

  return {
    database,
    store,
    telemetry,
    open,
    set,
    effects: async (productId) => (await database.query<{ available: bigint }>(READ, [productId])).map(({ available }) => available),
    async stop() {
      await Promise.all(meshes.map((mesh) => mesh.stop()));
      await database.stop();
      await place.drop();
    },
  };
}
