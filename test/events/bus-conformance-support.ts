import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { join } from 'node:path';

import type { Deliver, Event, EventBus } from '#events';
import { newId, systemClock, systemRandom } from '#kit';

import { until } from '../database/until.ts';

/** What the suite runs on: a server of its own, and buses as separate processes would have them. */
export interface BusServer {
  /** What {@link OpenerModule.openBus} takes. */
  readonly address: string;
  /** The path of an {@link OpenerModule}, for members in processes of their own. */
  readonly opener: string;
  /** Kills it with SIGKILL. */
  kill(): Promise<void>;
  /** Starts it again on the same address and data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface OpenerModule {
  openBus(address: string): EventBus;
}

/** The server with buses on it, each as a process of its own would have it; they are stopped after each test. */
export interface Bench {
  readonly server: BusServer;
  open(): EventBus;
}

/** A topic that no other test has. */
export function newTopic(): string {
  return `shop.t${newId(systemClock, systemRandom).replaceAll('-', '')}.v1`;
}

export function eventOf(topic: string, subject: string, number: number, more: Partial<Event> = {}): Event {
  const head = { id: newId(systemClock, systemRandom), source: 'test', type: `${topic}.Happened`, subject };
  return { ...head, time: new Date(), data: { number }, traceparent: undefined, ...more };
}

/** Events 1 … count of each subject, those of different subjects mixed. */
export function eventsOf(topic: string, subjects: readonly string[], count: number, first = 1): Event[] {
  return Array.from({ length: count }, (_, index) => subjects.map((subject) => eventOf(topic, subject, first + index))).flat();
}

export function manySubjects(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `subject-${index}`);
}

/** A consumer that writes down what it is given. */
export interface Collector {
  readonly deliver: Deliver;
  readonly events: Event[];
  /** Until each of these has come at least once. */
  untilAll(expected: readonly Event[]): Promise<void>;
  /** The numbers of a subject in the order in which they came, each once. */
  numbersOf(subject: string): number[];
}

export function createCollector(before: Deliver = async () => {}): Collector {
  const events: Event[] = [];
  return {
    events,
    async deliver(event, signal) {
      await before(event, signal);
      events.push(event);
    },
    async untilAll(expected) {
      const missing = (): number => {
        const ids = new Set(events.map(({ id }) => id));
        return expected.filter(({ id }) => !ids.has(id)).length;
      };
      await until(`all ${expected.length} events came`, () => missing() === 0).catch((cause: unknown) => {
        throw new Error(`${missing()} of ${expected.length} events did not come`, { cause });
      });
    },
    numbersOf: (subject) => [...new Set(events.filter((event) => event.subject === subject).map(({ data }) => Number(data['number'])))],
  };
}

/** A member of a group in a process of its own. */
export interface MemberProcess {
  readonly child: ChildProcess;
  /** `subject number` of each event it was given. */
  readonly received: string[];
  /** With SIGKILL; also one that is dead already. */
  kill(): Promise<void>;
}

export interface MemberOptions {
  readonly group: string;
  readonly topic: string;
  /** Events of this subject it never finishes. */
  readonly heldSubject?: string;
  /** How long it takes over each of the others. Default 0. */
  readonly pauseMs?: number;
}

/** Whoever starts it kills it. */
export function startMemberProcess({ opener, address }: Pick<BusServer, 'opener' | 'address'>, options: MemberOptions): MemberProcess {
  const program = join(import.meta.dirname, 'bus-conformance-member.ts');
  const child = spawn(process.execPath, [program, opener, address, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const received: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => received.push(line));
  const ended = once(child, 'exit');
  return {
    child,
    received,
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
