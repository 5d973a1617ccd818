import { setTimeout as delay } from 'node:timers/promises';

import { createLifecycle, MeshError, silentLog } from '#kit';

import { seededRandom } from '../../kit/support.ts';
import { asLoadClient, type Kind, loadContract } from './contract.ts';
import { CALLER, join } from './join.ts';
import type { CallRecord, LoadOrder, LoadProgress, LoadReport, LoadSettings } from './messages.ts';

/** How often what is due is sent. */
const TICK_MS = 2;

/** Calls the service from a process of its own, at a rate that does not heed the answers. */
const settings: LoadSettings = JSON.parse(process.argv[2] ?? '');
const random = seededRandom(settings.seed);
const lifecycle = createLifecycle(silentLog);
const { mesh, tracer } = await join(CALLER, settings, lifecycle, settings.emptyHoldMs);
const stub = asLoadClient(mesh.client(loadContract(settings.service), { service: CALLER, tracer }));
const calls: CallRecord[] = [];
const open = new Set<Promise<void>>();
let ending = false;

function anyKind(): Kind {
  let left = random.number();
  for (const [kind, share = 0] of Object.entries(settings.mix)) {
    left -= share;
    // The keys of `mix` are kinds.
    if (left <= 0) return kind as Kind;
  }
  return 'read';
}

async function call(at: number): Promise<void> {
  const kind = anyKind();
  const id = `${settings.seed}-${calls.length}-${random.number()}`;
  const began = performance.now();
  const record = (outcome: string, instance: string): void =>
    void calls.push({ kind, at, tookMs: performance.now() - began, outcome, instance, id });
  try {
    record('ok', (await stub[kind]({ id }, { deadlineMs: settings.deadlineMs })).instance);
  } catch (thrown) {
    const { reason, answeredBy } = MeshError.from(thrown);
    record(reason, answeredBy?.instance ?? '');
  }
}

/** Sends what is due, every few milliseconds; a late tick sends more, so the rate holds. */
async function run(): Promise<void> {
  const end = Date.now() + settings.durationMs;
  let due = Date.now();
  while (due < end && !ending) {
    for (const now = Date.now(); due <= now && due < end; due += (-Math.log(1 - random.number()) * 1_000) / settings.perSecond) {
      const made = call(due).finally(() => open.delete(made));
      open.add(made);
    }
    await delay(TICK_MS);
  }
  await Promise.all(open);
}

function answered(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { outcome, instance } of calls) if (outcome === 'ok') counts[instance] = (counts[instance] ?? 0) + 1;
  return counts;
}

async function finish(): Promise<void> {
  await run();
  const report: LoadReport = { kind: 'done', calls, destinations: mesh.read() };
  await new Promise((resolve) => process.send?.(report, resolve));
  await lifecycle.stop();
  process.exit(0);
}

process.once('disconnect', () => process.exit(0));
process.on('message', (order: LoadOrder) => {
  if (order.kind === 'go') void finish();
  else if (order.kind === 'end') ending = true;
  else process.send?.({ kind: 'progress', answered: answered() } satisfies LoadProgress);
});
// The first call waits for the first connections: nobody measures it.
await stub.read({ id: 'warm-up' }, { deadlineMs: 10_000 });
process.send?.({ kind: 'ready' });
