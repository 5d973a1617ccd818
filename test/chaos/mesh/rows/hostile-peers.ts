import { setTimeout as delay } from 'node:timers/promises';

import { okShare, reasons } from '../figures.ts';
import type { Node } from '../node.ts';
import { inCluster, percent, type Row } from '../row.ts';

const MB = 1024 * 1024;
/** What the attacks may leave behind each further time. */
const MAX_GROWTH_MB = 50;
/**
 * What they may raise it by the first two times: to the room that the busiest moment takes, which is kept. 70 to 100 MB of it
 * are the young generation of V8 growing to its full size, about as much the C library's heap, whose holes are filled the
 * next time. One gzip bomb that is unpacked is 1,000 MB.
 */
const MAX_FIRST_GROWTH_MB = 250;
/** Requests that do not end are cancelled after 10 s; the rest is for a busy machine. */
const SETTLE_MS = 20_000;
/** The share of the full numbers of a quick run. */
const QUICK = 0.2;
const ASK_MS = 500;
const WARM_CALLS = 2_000;

/** Every kind of hostile peer, in turn, from one process and then from another, while well-behaved callers are served. */
export const hostilePeers: Row = {
  name: 'hostile-peers',
  fault: 'hostile peers: 60 KB metadata, 5,000 half-open streams, 500 silent sockets, ping and reset floods, gzip bombs, HTTP/1 and random bytes, 10,000 fuzzed frames and messages',
  must: '0 exits, memory + <= 250 MB by the first two times and <= 50 MB by the third, >= 99.9 % of the others ok',
  mechanism: "the door's limits",
  run: ({ seed, size, mechanism }) =>
    inCluster(seed, '', async (cluster) => {
      const node = await cluster.node({ name: 'one', workers: 64, limits: mechanism === 'on' });
      const load = await cluster.load({ perSecond: 300, deadlineMs: 2_000 });
      const running = load.run();
      // A process grows until it is warm, whoever calls it.
      await load.answered(WARM_CALLS);
      const attacked: string[] = [];
      const attack = (): Promise<() => Promise<void>> => cluster.beHostileTo(node, size === 'full' ? 1 : QUICK, (name) => attacked.push(name));
      const before = await memoryMb(node);
      await (await attack())();
      const leave = await attack();
      const risen = await settled(node, before + MAX_FIRST_GROWTH_MB);
      await leave();
      await attack();
      const again = await settled(node, risen + MAX_GROWTH_MB);
      load.end();
      const { calls } = await running;
      const ok = okShare(calls);
      const memory = [before, risen, again].map((mb) => mb.toFixed(0)).join(' -> ');
      const facts = `${attacked.length} attacks, ${node.hasEnded() ? 1 : 0} exits, memory ${memory} MB, ${calls.length} calls of others, ${percent(ok)} ok ${JSON.stringify(reasons(calls))}`;
      const isBounded = risen - before <= MAX_FIRST_GROWTH_MB && again - risen <= MAX_GROWTH_MB;
      return { holds: !node.hasEnded() && isBounded && ok >= 0.999, facts };
    }),
};

/** What it has at last, once it is no more than allowed or the time for that is over. NaN: the process has ended. */
async function settled(node: Node, allowedMb: number): Promise<number> {
  const end = Date.now() + SETTLE_MS;
  let now = await memoryMb(node);
  while (now > allowedMb && Date.now() < end) {
    await delay(ASK_MS);
    now = await memoryMb(node);
  }
  return now;
}

async function memoryMb(node: Node): Promise<number> {
  if (node.hasEnded()) return Number.NaN;
  const reading = await node.read().catch(() => undefined);
  return reading ? reading.memoryBytes / MB : Number.NaN;
}
