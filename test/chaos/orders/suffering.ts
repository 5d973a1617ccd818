import { systemClock } from '#kit';

import type { FaultAction } from '../../shop/faults/fault.ts';
import type { FaultyShop } from '../../shop/faults/faulty-shop.ts';
import { allServe, postgresPid, send } from '../../shop/model/commands/processes.ts';
import type { Fleet } from '../../shop/model/real-shop.ts';
import { until } from '../../shop/orders.ts';
import { type Happening, nameOfHappening } from './happenings.ts';
import { sufferLateVerdict } from './late-verdict.ts';
import type { KillPoint } from './survey.ts';
import type { Asked } from './traffic.ts';

/** The broker that has the events, where Kafka does. */
export interface Broker {
  /** As KAFKA_BROKERS takes it. */
  readonly brokers: string;
  /** By SIGKILL. */
  kill(): Promise<void>;
  /** Ends it in order if it runs. Resolves when it answers again. */
  restart(): Promise<void>;
}

/** Lets happenings befall a shop, and counts. */
export interface Suffering {
  suffer(happening: Happening): Promise<void>;
  /** What was ordered by them, since last asked. */
  takeAsked(): readonly Asked[];
  /** Processes that died at their point. */
  readonly kills: number;
  /** What nobody came by for. */
  readonly missed: readonly string[];
}

/** A point is given up when nobody comes to it for so long: what it needs is rare, such as a repeat that meets its first. */
const MET_WITHIN_MS = 8_000;
/** What a member had that died goes to another one after 10 s. */
const MET_WITHIN_ON_KAFKA_MS = 20_000;
/** Twice the lease of a saga, and some. */
const STALL_MS = 2_500;

export function createSuffering(shop: FaultyShop, fleet: Fleet, broker: Broker | undefined): Suffering {
  const missed: string[] = [];
  const metWithinMs = broker ? MET_WITHIN_ON_KAFKA_MS : MET_WITHIN_MS;
  let asked: Asked[] = [];
  let kills = 0;
  /** When the broker serves again; that it does not ends the run. */
  let brokerIsBack: Promise<unknown> = Promise.resolve();

  async function isMet({ service, point }: KillPoint, action: FaultAction): Promise<boolean> {
    const armed = shop.arm({ point: `${service}: ${point}`, action });
    const met = await until('somebody comes by', metWithinMs, async () => !armed.isArmed() || undefined).catch(() => false);
    if (!met) armed.disarm();
    return met;
  }

  async function kill(at: KillPoint): Promise<boolean> {
    const met = await isMet(at, { kind: 'kill' });
    if (met) kills += 1;
    return met;
  }

  async function stall(service: keyof Fleet, drawn: number): Promise<boolean> {
    const instances = (await allServe({ shop, fleet })).filter((instance) => instance.service === service);
    const { pid } = instances[drawn % instances.length] ?? {};
    const stopped = send(pid, 'SIGSTOP');
    await systemClock.sleep(STALL_MS);
    send(pid, 'SIGCONT');
    return stopped;
  }

  async function writeLate(): Promise<boolean> {
    const late = await sufferLateVerdict(shop, STALL_MS);
    asked.push(late.asked);
    return late.met;
  }

  /** One at a time: two that start it side by side are two brokers on the same files, and one of them ends. */
  function restartBroker(by: 'stop' | 'kill', meanwhile: KillPoint): Promise<boolean> {
    const restarted = brokerIsBack.then(async () => {
      if (by === 'kill') await broker?.kill();
      const [met] = await Promise.all([kill(meanwhile), broker?.restart()]);
      return met;
    });
    brokerIsBack = restarted;
    return restarted;
  }

  function befall(happening: Happening): Promise<boolean> | boolean {
    switch (happening.kind) {
      case 'kill':
        return kill(happening.at);
      case 'stall at':
        return isMet(happening.at, { kind: 'stall', ms: STALL_MS });
      case 'kill Postgres':
        return send(postgresPid(shop), 'SIGKILL');
      case 'stall':
        return stall(happening.service, happening.drawn);
      case 'late verdict':
        return writeLate();
      case 'restart Kafka':
        return restartBroker(happening.by, happening.meanwhile);
    }
  }

  return {
    missed,
    get kills() {
      return kills;
    },
    async suffer(happening) {
      if (!(await befall(happening))) missed.push(nameOfHappening(happening));
    },
    takeAsked() {
      const taken = asked;
      asked = [];
      return taken;
    },
  };
}
