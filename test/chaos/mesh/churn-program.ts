import { setTimeout as delay } from 'node:timers/promises';

import { createLifecycle, MeshError, silentLog } from '#kit';
import type { ClientInterceptor } from '#mesh';

import { seededRandom } from '../../kit/support.ts';
import { asLoadClient, loadContract } from './contract.ts';
import { holdings } from './holdings.ts';
import { CALLER, join } from './join.ts';
import type { ChurnReport, ChurnSettings } from './messages.ts';

const CALLS_AT_ONCE = 100;
const CHANNELS_AT_ONCE = 10;
/** Callers go away up to so long after they called: before the answer of 40 ms, with the call still here or there. */
const MAX_PATIENCE_MS = 15;
/** Calls and channels after which a process has what it keeps for good. */
const WARM = { calls: 500, channels: 50 } as const;
/** How long what ends by itself may take: connections to close, watches to stop. */
const SETTLE_MS = 10_000;
const WARM_SETTLE_MS = 500;

/** Calls and goes away, opens channels and closes them, and looks at what that leaves in its process. */
const settings: ChurnSettings = JSON.parse(process.argv[2] ?? '');
const random = seededRandom(settings.seed);
const lifecycle = createLifecycle(silentLog);
const { openMesh, tracer } = await join(CALLER, settings, lifecycle);
const contract = loadContract('load');
let cancelled = 0;

/** What forgets to put away: a timer for each call, which outlives it. */
const leaveTimer: ClientInterceptor = (next) => (call) => {
  setTimeout(() => call.request, 60_000);
  return next(call);
};

async function goAway(read: ReturnType<typeof asLoadClient>['read'], id: string): Promise<void> {
  const caller = new AbortController();
  const timer = setTimeout(() => caller.abort(), random.number() * MAX_PATIENCE_MS);
  try {
    await read({ id }, { signal: caller.signal, deadlineMs: 30_000 });
  } catch (thrown) {
    if (MeshError.from(thrown).code === 'CANCELLED') cancelled += 1;
  } finally {
    clearTimeout(timer);
  }
}

async function repeat(count: number, atOnce: number, act: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await act(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

async function churn({ calls, channels }: { readonly calls: number; readonly channels: number }, putsAway: boolean): Promise<void> {
  const mesh = openMesh(...(putsAway ? [] : [leaveTimer]));
  const { read } = asLoadClient(mesh.client(contract, { service: CALLER, tracer }));
  await repeat(calls, CALLS_AT_ONCE, (index) => goAway(read, `cancelled-${index}`));
  await mesh.stop();
  await repeat(channels, CHANNELS_AT_ONCE, async (index) => {
    const own = openMesh();
    await asLoadClient(own.client(contract, { service: CALLER, tracer })).read({ id: `channel-${index}` }, { deadlineMs: 30_000 });
    if (putsAway) await own.stop();
  });
}

await churn(WARM, true);
await delay(WARM_SETTLE_MS);
const before = holdings();
cancelled = 0;
await churn(settings, settings.putsAway);
const end = Date.now() + (settings.putsAway ? SETTLE_MS : 0);
while (holdings().resources > before.resources && Date.now() < end) await delay(100);
const report: ChurnReport = { kind: 'churned', before, after: holdings(), cancelled };
await new Promise((resolve) => process.send?.(report, resolve));
process.exit(0);
