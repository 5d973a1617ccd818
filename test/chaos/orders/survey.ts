import { readFileSync } from 'node:fs';

import type { ModuleName } from '#modules';

/** A point at which a process of the order flow can die: found by running the flow, so that none is forgotten. */
export interface KillPoint {
  readonly service: ModuleName;
  readonly point: string;
}

interface Passed {
  readonly services: readonly ModuleName[];
  readonly point: string;
}

/** Every point that the processes of a shop have passed so far, each once, sorted. They run one service each. */
export function pointsPassed(file: string): readonly KillPoint[] {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  const points = new Map<string, KillPoint>();
  for (const line of lines) {
    // Written by faulty.ts, a whole line at a time.
    const { services, point } = JSON.parse(line) as Passed;
    const [service] = services;
    if (service && !BESIDE.test(point)) points.set(`${service} ${point}`, { service, point });
  }
  return [...points.entries()].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, found]) => found);
}

/** What is passed while a process comes up, by the set-up and the looks of the test itself, or once a minute: nobody comes to it while orders are placed. */
const BESIDE = /server\.version|schema|migrat|sweep|outbox\.channel|(ListOrders|CreateUser|CreateProduct|SetStock|ListNotifications|GetOrder|GetStock)$|user\.insert|product\.insert|inventory\.set_stock|notification\.list|order\.list/;
