import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { systemClock } from '#kit';

import { type FaultyShop, startFaultyShop } from '../../shop/faults/faulty-shop.ts';
import type { Guard } from '../../shop/faults/guards.ts';
import { startFleet } from '../../shop/model/commands/processes.ts';
import type { Fleet } from '../../shop/model/real-shop.ts';
import { type Effects, startEffects } from './effects.ts';
import { readEventHistories } from './event-histories.ts';
import { createEyes } from './eyes.ts';
import type { Happening } from './happenings.ts';
import { watchSagas } from './saga-watch.ts';
import { sideBySide } from './side-by-side.ts';
import { type Broker, createSuffering } from './suffering.ts';
import { type KillPoint, pointsPassed } from './survey.ts';
import { createTraffic } from './traffic.ts';

export interface MatrixOptions {
  /** What goes wrong, one after another, made of the points that were found. */
  readonly plan: (points: readonly KillPoint[]) => readonly Happening[];
  /** How many instances each service has. Default: {@link FULL_FLEET}. */
  readonly fleet?: Fleet;
  readonly guardsOff?: readonly Guard[];
  /** How the card company misbehaves meanwhile; left out: not at all. See the simulator's README. */
  readonly simulatorFaults?: string;
  /** Has the events; left out: the log in Postgres. */
  readonly broker?: Broker;
  /** How many of them at once. Default 2. */
  readonly atOnce?: number;
  /** How many of them between two looks at everything. Default 25. */
  readonly lookEvery?: number;
  /** Stops at the first look behind a happening that knows of such a finding. */
  readonly until?: RegExp;
  readonly say: (line: string) => void;
}

/** What a run has shown. */
export interface MatrixResult {
  /** Processes that died at their point. */
  readonly kills: number;
  readonly happenings: number;
  /** What nobody came by for while it was armed. */
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
/** As few as can show a take-over, for a run that shares its machine with others or has one thing to show. */
export const SMALL_FLEET: Fleet = { user: 1, product: 1, inventory: 1, payment: 1, shipping: 1, order: 2, notification: 1 };
const LANES = 6;
/** How long buyers order before the points that were passed are read. */
const SURVEY_MS = 4_000;

/**
 * Kills processes at points of the order flow while buyers go on ordering, and looks after each batch whether every order
 * is whole: final, paid for once or not at all, told of in order, its buyer told once, and the books agree.
 */
export async function runMatrix(options: MatrixOptions): Promise<MatrixResult> {
  const folder = mkdtempSync(join(tmpdir(), 'shopmesh-survey-'));
  const survey = join(folder, 'points');
  appendFileSync(survey, '');
  try {
    const shop = await startFaultyShop('micro', settingsOf(options, survey));
    try {
      return await runIn(shop, survey, options);
    } finally {
      await shop.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function settingsOf({ guardsOff = [], simulatorFaults, broker }: MatrixOptions, survey: string): Record<string, string> {
  return {
    FAULT_SURVEY: survey,
    FAULT_GUARDS_OFF: guardsOff.join(','),
    ...(simulatorFaults && { MESH_STRIPE_SIMULATOR_FAULTS: simulatorFaults }),
    ...(broker && { KAFKA_BROKERS: broker.brokers }),
  };
}

async function runIn(shop: FaultyShop, survey: string, options: MatrixOptions): Promise<MatrixResult> {
  const { plan, fleet = FULL_FLEET, guardsOff = [], broker, atOnce = 2, lookEvery = 25, until, say } = options;
  const events = await readEventHistories(shop);
  let effects: Effects | undefined;
  try {
    await startFleet(shop, fleet);
    effects = await startEffects(shop, guardsOff.includes('inbox'));
    const traffic = await createTraffic(shop, LANES);
    const eyes = createEyes({ shop, fleet, traffic, events, effects, sagas: await watchSagas(shop) });
    traffic.start();
    await systemClock.sleep(SURVEY_MS);
    await eyes.look([]);
    const points = pointsPassed(survey);
    const happenings = plan(points);
    say(`${points.length} points of ${new Set(points.map(({ service }) => service)).size} services`);
    const suffering = createSuffering(shop, fleet, broker);
    const beganMs = systemClock.now();
    let done = 0;
    while (done < happenings.length && !(done > 0 && eyes.wrong.some((what) => until?.test(what)))) {
      traffic.start();
      await sideBySide(atOnce, happenings.slice(done, (done += lookEvery)), suffering.suffer);
      await eyes.look(suffering.takeAsked());
      const seconds = Math.round((systemClock.now() - beganMs) / 1_000);
      say(`${Math.min(done, happenings.length)} of ${happenings.length} happenings in ${seconds} s: ${suffering.kills} kills, ${eyes.orders} orders, ${eyes.wrong.length} findings`);
    }
    const { kills, missed } = suffering;
    const { orders, wrong, finalAfterMs } = eyes;
    return { kills, happenings: Math.min(done, happenings.length), missed, points: points.length, orders, wrong, finalAfterMs };
  } finally {
    await effects?.stop();
    await events.stop();
  }
}
