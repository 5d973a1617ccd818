import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { systemClock } from '#kit';

import { expectBooksAgree } from '../../shop/books-agree.ts';
import { type FaultyShop, startFaultyShop } from '../../shop/faults/faulty-shop.ts';
import type { FaultAction } from '../../shop/faults/fault.ts';
import type { Guard } from '../../shop/faults/guards.ts';
import { allServe, postgresPid, send, startFleet } from '../../shop/model/commands/processes.ts';
import type { Fleet } from '../../shop/model/real-shop.ts';
import { until } from '../../shop/orders.ts';
import { type Effects, startEffects } from './effects.ts';
import { type EventHistories, readEventHistories } from './event-histories.ts';
import { type Happening, happeningsOf, nameOfHappening } from './happenings.ts';
import { type SagaWatch, watchSagas } from './saga-watch.ts';
import { wrongNotices } from './notices.ts';
import { type KillPoint, pointsPassed } from './survey.ts';
import { createTraffic, type Traffic } from './traffic.ts';
import { inspect } from './wholeness.ts';

export interface MatrixOptions {
  readonly seed: number;
  readonly kills: number;
  /** How many instances each service has. Default: {@link FULL_FLEET}. */
  readonly fleet?: Fleet;
  /** Only points that this holds for. */
  readonly only?: (point: KillPoint) => boolean;
  readonly guardsOff?: readonly Guard[];
  /** How the card company misbehaves meanwhile; empty: not at all. See the simulator's README. */
  readonly simulatorFaults?: string;
  /** Stops at the first finding. */
  readonly firstOnly?: boolean;
  readonly say: (line: string) => void;
}

/** What a run has shown. */
export interface MatrixResult {
  /** Processes that died at their point. */
  readonly kills: number;
  /** Points that nobody came to while they were armed. */
  readonly missed: readonly string[];
  readonly points: number;
  readonly orders: number;
  /** What is not as it must be, in words; empty where all is well. */
  readonly wrong: readonly string[];
  /** From when everything was up again until the last order was final. */
  readonly finalAfterMs: number;
}

/** All that an order meets, twice, but for what only reads. */
const FULL_FLEET: Fleet = { user: 1, product: 1, inventory: 2, payment: 2, shipping: 2, order: 2, notification: 2 };
const LANES = 6;
/** Kills between two looks at everything. */
const BATCH = 25;
/** A point is given up when nobody comes to it for so long: what it needs is rare, such as a repeat that meets its first. */
const MET_WITHIN_MS = 8_000;
/** Twice the lease of a saga, and some. */
const STALL_MS = 2_500;
/** How long buyers order before the points that were passed are read. */
const SURVEY_MS = 4_000;

/**
 * Kills processes at every point of the order flow while buyers go on ordering, and looks after each batch whether every
 * order is whole: final, paid for once or not at all, told of in order, its buyer told once, and the books agree.
 */
export async function runMatrix(options: MatrixOptions): Promise<MatrixResult> {
  const { seed, kills, guardsOff = [], simulatorFaults = '', only = () => true, firstOnly = false, fleet = FULL_FLEET, say } = options;
  const folder = mkdtempSync(join(tmpdir(), 'shopmesh-survey-'));
  const survey = join(folder, 'points');
  appendFileSync(survey, '');
  const settings = { FAULT_SURVEY: survey, FAULT_GUARDS_OFF: guardsOff.join(','), ...(simulatorFaults && { MESH_STRIPE_SIMULATOR_FAULTS: simulatorFaults }) };
  const shop = await startFaultyShop('micro', settings);
  const events = readEventHistories(shop);
  let effects: Effects | undefined;
  try {
    await startFleet(shop, fleet);
    effects = await startEffects(shop, guardsOff.includes('inbox'));
    const traffic = await createTraffic(shop, LANES);
    const run = createRun({ shop, fleet, traffic, events, effects, sagas: await watchSagas(shop) });
    traffic.start();
    await systemClock.sleep(SURVEY_MS);
    await run.look();
    const points = pointsPassed(survey).filter(only);
    say(`      ${points.length} points of ${new Set(points.map(({ service }) => service)).size} services`);
    const happenings = happeningsOf(seed, points, kills);
    for (let from = 0; from < happenings.length && !(firstOnly && run.wrong.length > 0); from += BATCH) {
      traffic.start();
      for (const happening of happenings.slice(from, from + BATCH)) await run.suffer(happening);
      await run.look();
      say(`      ${Math.min(from + BATCH, happenings.length)} of ${happenings.length} happenings, ${run.orders()} orders, ${run.wrong.length} findings`);
    }
    return { kills: run.kills(), missed: run.missed, points: points.length, orders: run.orders(), wrong: run.wrong, finalAfterMs: run.finalAfterMs() };
  } finally {
    await effects?.stop();
    await events.stop();
    await shop.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Run {
  suffer(happening: Happening): Promise<void>;
  look(): Promise<void>;
  readonly wrong: string[];
  readonly missed: string[];
  kills(): number;
  orders(): number;
  finalAfterMs(): number;
}

/** What a run has its eyes on. */
interface Watched {
  readonly shop: FaultyShop;
  readonly fleet: Fleet;
  readonly traffic: Traffic;
  readonly events: EventHistories;
  readonly effects: Effects;
  readonly sagas: SagaWatch;
}

function createRun({ shop, fleet, traffic, events, effects, sagas }: Watched): Run {
  const wrong: string[] = [];
  const missed: string[] = [];
  let killed = 0;
  let orders = 0;
  let finalAfterMs = 0;

  /** Whether somebody came by. */
  async function befall(happening: Extract<Happening, { readonly at: KillPoint }>, action: FaultAction): Promise<boolean> {
    const { service, point } = happening.at;
    const armed = shop.arm({ point: `${service}: ${point}`, action });
    const met = await until('somebody comes by', MET_WITHIN_MS, async () => (armed.isArmed() ? undefined : true)).catch(() => false);
    if (met) return true;
    armed.disarm();
    missed.push(nameOfHappening(happening));
    return false;
  }

  async function stall(service: keyof Fleet, drawn: number): Promise<void> {
    const instances = (await allServe({ shop, fleet })).filter((instance) => instance.service === service);
    const { pid } = instances[drawn % instances.length] ?? {};
    send(pid, 'SIGSTOP');
    await systemClock.sleep(STALL_MS);
    send(pid, 'SIGCONT');
  }

  return {
    wrong,
    missed,
    kills: () => killed,
    orders: () => orders,
    finalAfterMs: () => finalAfterMs,
    async suffer(happening) {
      switch (happening.kind) {
        case 'kill':
          if (await befall(happening, { kind: 'kill' })) killed += 1;
          return;
        case 'stall at':
          return void (await befall(happening, { kind: 'stall', ms: STALL_MS }));
        case 'kill Postgres':
          return void send(postgresPid(shop), 'SIGKILL');
        case 'stall':
          return stall(happening.service, happening.drawn);
      }
    },
    async look() {
      const asked = await traffic.pause();
      await allServe({ shop, fleet });
      orders += asked.length;
      const found = await inspect(shop, asked);
      finalAfterMs = Math.max(finalAfterMs, found.finalAfterMs);
      wrong.push(...found.wrong, ...(await traffic.strangers()), ...(await sagas.movedBack()));
      const orderIds = asked.map(({ orderId }) => orderId);
      wrong.push(...(await events.wrongIn(orderIds)), ...(await effects.wrongFor(orderIds)), ...(await wrongNotices(shop, asked)));
      await expectBooksAgree(shop).catch((thrown: unknown) => void wrong.push(`the books differ: ${String(thrown)}`));
    },
  };
}
