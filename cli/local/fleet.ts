import { refusal } from '#kit';
import type { ModuleName } from '#modules';

import type { Served } from '../serving/serve.ts';
import { type RunInstance, runInstance, type ScaleAnswer, type ScaleRequest } from './control-messages.ts';
import type { ManagedProcess } from './managed-process.ts';

/** The most instances of one service on this one machine. */
export const MAX_INSTANCES = 16;

/** A place for a process. Its name stays, whoever fills it. */
export interface Slot {
  readonly name: string;
  readonly services: readonly ModuleName[];
  /** The first instance of a service has the port that is set for it, the others take free ones. */
  readonly onFreePort: boolean;
}

export interface FleetOptions {
  /** Which services share a process at the start: one each in micro, all in the monolith. */
  readonly groups: readonly (readonly ModuleName[])[];
  /** Starts the process of a slot, which then waits to be begun. */
  readonly start: (slot: Slot) => ManagedProcess;
  readonly report: (name: string, what: string) => void;
}

/** The processes that run the services, as many of each as was asked for. */
export interface Fleet {
  processes(): readonly ManagedProcess[];
  /** How many processes run this service, or are to. */
  count(service: ModuleName): number;
  /** Resolves when the first instance of every service serves; rejects with the first reason why one does not. */
  begin(): Promise<readonly Served[]>;
  /**
   * Starts or stops processes until each service has as many as asked for, the last
   * started first to go, and tries again what was given up. Resolves when every one
   * serves or is given up, and whatever has to go has ended its calls and is gone.
   */
  scale(request: ScaleRequest): Promise<ScaleAnswer>;
  stop(): Promise<void>;
}

/** The groups' processes start to load their code at once. */
export function createFleet({ groups, start, report }: FleetOptions): Fleet {
  const firsts = groups.map((services) => start(firstSlot(services)));
  // A service's processes in the order of their slots; that of a monolith is in the list of each of its services.
  const lists = new Map<ModuleName, ManagedProcess[]>();
  groups.forEach((services, index) => services.forEach((service) => lists.set(service, firsts.slice(index, index + 1))));
  const turns = createTurns<ModuleName>();
  let stopped: Promise<void> | undefined;

  const listOf = (service: ModuleName): ManagedProcess[] => lists.get(service) ?? [];
  const processes = (): ManagedProcess[] => [...new Set([...lists.values()].flat())];

  async function setCount(service: ModuleName, count: number): Promise<readonly ManagedProcess[]> {
    const list = listOf(service);
    for (const kept of list.slice(0, count)) kept.retry();
    await Promise.all(list.slice(count).map((process) => leave(process, report)));
    list.length = Math.min(list.length, count);
    while (list.length < count) {
      if (stopped) throw refusal('NOT_RUNNING', 'the shop is stopping');
      const process = start(list.length === 0 ? firstSlot([service]) : furtherSlot(service, list.length + 1));
      list.push(process);
      process.keepUp();
    }
    return [...list];
  }

  async function scale(request: ScaleRequest): Promise<ScaleAnswer> {
    // Both ends are this program: the keys are names of modules.
    const counts = Object.entries(request.counts) as [ModuleName, number][];
    for (const [service, count] of counts) check(service, count, request.allowNone, groupOf(service, groups));
    // One change of a service after the other: a slot is empty before it is filled again.
    const chosen = await Promise.all(counts.map(([service, count]) => turns.take(service, () => setCount(service, count))));
    await Promise.all(chosen.flat().map((process) => process.settled()));
    return { instances: counts.flatMap(([service], index) => instancesOf(service, chosen[index] ?? [])), missing: missingOf(chosen.flat()) };
  }

  async function stopAll(): Promise<void> {
    await Promise.all([...processes().map((process) => process.stop()), turns.over()]);
    // One that a turn has started meanwhile.
    await Promise.all(processes().map((process) => process.stop()));
  }

  return {
    processes,
    count: (service) => listOf(service).length,
    begin: async () => {
      const served = await Promise.all(firsts.map((process) => process.begin()));
      for (const process of firsts) process.keepUp();
      return served.flat();
    },
    scale,
    stop: () => (stopped ??= stopAll()),
  };
}

function firstSlot(services: readonly ModuleName[]): Slot {
  const [first = 'monolith', ...others] = services;
  return { name: others.length === 0 ? first : 'monolith', services, onFreePort: false };
}

function furtherSlot(service: ModuleName, number: number): Slot {
  return { name: `${service}-${number}`, services: [service], onFreePort: true };
}

function groupOf(service: ModuleName, groups: FleetOptions['groups']): readonly ModuleName[] {
  return groups.find((services) => services.includes(service)) ?? [];
}

function check(service: ModuleName, count: number, allowNone: boolean, group: readonly ModuleName[]): void {
  if (group.length === 0) throw refusal('UNKNOWN_SERVICE', `the shop that runs has no service ${service}; start it again with the program of today`);
  if (!Number.isInteger(count) || count < 0 || count > MAX_INSTANCES) {
    throw refusal('INVALID_ARGUMENT', `${service} can have 1 to ${MAX_INSTANCES} instances here, not ${count}`);
  }
  if (count > 0) return;
  if (group.length > 1) throw refusal('INVALID_ARGUMENT', `${service} is part of the monolith, which runs as a whole: it keeps 1 instance`);
  if (!allowNone) throw refusal('INVALID_ARGUMENT', `without an instance of ${service} every call to it fails; if that is what you want, add --allow-none`);
}

async function leave(process: ManagedProcess, report: FleetOptions['report']): Promise<void> {
  await process.stop();
  report(process.status().name, 'has ended its calls and stopped');
}

function instancesOf(service: ModuleName, processes: readonly ManagedProcess[]): RunInstance[] {
  return processes.flatMap((process) => process.served().filter(({ name }) => name === service).map((served) => runInstance(served, process.status())));
}

function missingOf(processes: readonly ManagedProcess[]): ScaleAnswer['missing'] {
  return processes.flatMap((process) => {
    const status = process.status();
    if (status.state === 'ready') return [];
    return [{ process: status.name, reason: 'reason' in status ? status.reason : 'was stopped meanwhile' }];
  });
}

/** Lets what is done to one key happen one after the other. */
function createTurns<K>(): { take<T>(key: K, change: () => Promise<T>): Promise<T>; over(): Promise<unknown> } {
  const last = new Map<K, Promise<unknown>>();
  return {
    take: (key, change) => {
      const turn = (last.get(key) ?? Promise.resolve()).then(change);
      last.set(key, turn.catch(() => undefined));
      return turn;
    },
    over: () => Promise.all(last.values()),
  };
}
