import { type Tracer, trace } from '@opentelemetry/api';

import { type Database, openDatabase, schemaRefusal, schemaState } from '#database';
import { createLifecycle, type Lifecycle, type Log, MeshError, refusal, type Stoppable } from '#kit';
import { loadModule, type ModuleName } from '#modules';

import { databaseSetting, type Resolved } from '../settings.ts';
import type { Books, Ledger } from './books.ts';
import type { LedgerPlace } from './ledger-place.ts';
import {
  bookingsInBooks,
  noticesInBooks,
  ordersInBooks,
  ordersWithBooking,
  ordersWithPayment,
  ordersWithReservation,
  ordersWithShipment,
  pageOfOrders,
  pageOfStock,
  paymentsInBooks,
  reservationsInBooks,
  shipmentsInBooks,
  straysInBooks,
  unknownOrders,
} from './service-books.ts';
import { doEventsWait } from './waiting-events.ts';

export interface OpenBooksOptions {
  readonly settings: Resolved;
  readonly ledger: LedgerPlace;
  readonly log: Log;
}

/** A page of a book is two statements at most; services need their connections more. */
const MAX_CONNECTIONS = 2;
/** Summing up what reservations hold of each product reads all of them. */
const STATEMENT_TIMEOUT_MS = 300_000;

/** Opens the books of a shop for reading, as the owner of its tables. Throws SCHEMA_OUTDATED for tables that this program does not know; it never changes any. */
export async function openBooks({ settings, ledger: place, log }: OpenBooksOptions): Promise<Books & Stoppable> {
  const lifecycle = createLifecycle(log);
  const tracer = trace.getTracer('mesh doctor');
  try {
    const open = (name: ModuleName): Promise<Database> => openTables(name, settings, tracer, lifecycle, log);
    const [order, inventory, payment, shipping] = await Promise.all([open('order'), open('inventory'), open('payment'), open('shipping')]);
    const notification = await open('notification');
    const ledger = place.kind === 'card simulator' ? await openLedger(place, payment, { tracer, lifecycle, log }) : undefined;
    const notices: Books['notices'] = {
      entriesOf: (orderIds) => noticesInBooks(notification, orderIds),
      mayFollow: () => doEventsWait(order, settings, log),
    };
    return { ...booksOf({ order, inventory, payment, shipping }), notices, ledger, stop: lifecycle.stop };
  } catch (thrown) {
    await lifecycle.stop();
    throw thrown;
  }
}

function booksOf({ order, inventory, payment, shipping }: Readonly<Record<'order' | 'inventory' | 'payment' | 'shipping', Database>>): Omit<Books, 'ledger' | 'notices'> {
  return {
    orders: {
      page: (after, limit) => pageOfOrders(order, after, limit),
      find: (orderIds) => ordersInBooks(order, orderIds),
      unknown: (orderIds) => unknownOrders(order, orderIds),
    },
    payments: {
      orderIds: (after, limit) => ordersWithPayment(payment, after, limit),
      entriesOf: (orderIds) => paymentsInBooks(payment, orderIds),
    },
    reservations: {
      orderIds: (after, limit) => ordersWithReservation(inventory, after, limit),
      entriesOf: (orderIds) => reservationsInBooks(inventory, orderIds),
    },
    shipments: {
      orderIds: (after, limit) => ordersWithShipment(shipping, after, limit),
      entriesOf: (orderIds) => shipmentsInBooks(shipping, orderIds),
    },
    bookings: {
      orderIds: (after, limit) => ordersWithBooking(shipping, after, limit),
      entriesOf: (orderIds) => bookingsInBooks(shipping, orderIds),
    },
    stock: { page: (after, limit) => pageOfStock(inventory, after, limit) },
  };
}

async function openTables(name: ModuleName, settings: Resolved, tracer: Tracer, lifecycle: Lifecycle, log: Log): Promise<Database> {
  const url = settings.ownerUrls[name];
  if (!url) {
    const how = `start the shop with \`npx mesh up\`, or set DATABASE_URL, or ${databaseSetting(name)} for ${name} alone`;
    throw refusal('INVALID_SETTING', `no shop runs here, and no setting says where the books of ${name} are; ${how}`);
  }
  const database = openDatabase({
    url,
    schema: name,
    maxConnections: MAX_CONNECTIONS,
    applicationName: 'mesh doctor',
    tracer,
    log,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
  });
  lifecycle.onStop(name, () => database.stop());
  const { migrations } = await loadModule(name);
  const refused = schemaRefusal(name, (await schemaState(database, migrations)).components);
  if (refused) throw refused;
  return database;
}

type SimulatorPlace = Extract<LedgerPlace, { kind: 'card simulator' }>;

interface Tools {
  readonly tracer: Tracer;
  readonly lifecycle: Lifecycle;
  readonly log: Log;
}

/** Undefined where there may be none, and is none: then the shop had its cards charged elsewhere. */
async function openLedger({ url: databaseUrl, isCertain }: SimulatorPlace, payment: Database, { tracer, lifecycle, log }: Tools): Promise<Ledger | undefined> {
  const [{ openSimulatorDatabase }, { createCardLedger }] = await Promise.all([import('#stripe-simulator'), import('./card-ledger.ts')]);
  const database = openSimulatorDatabase({ databaseUrl, log, tracer });
  lifecycle.onStop('ledger', () => database.stop());
  return isCertain || (await hasLedger(database)) ? createCardLedger(database, (orderIds) => straysInBooks(payment, orderIds)) : undefined;
}

async function hasLedger(database: Database): Promise<boolean> {
  try {
    const text = `SELECT to_regclass('ledger') IS NOT NULL AS "isThere"`;
    const [row] = await database.query<{ isThere: boolean }>({ name: 'books.has_ledger', text }, []);
    return row?.isThere ?? false;
  } catch (thrown) {
    if (MeshError.from(thrown).metadata['trouble'] === 'missing') return false;
    throw thrown;
  }
}
