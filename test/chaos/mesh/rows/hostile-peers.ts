import { setTimeout as delay } from 'node:timers/promises';

import { okShare, reasons } from '../figures.ts';
import type { Node } from '../node.ts';
import { inCluster, percent, type Row } from '../row.ts';

const MB = 1024 * 1024;
const MAX_GROWTH_MB = 50;
/** Requests that do not end are cancelled after 10 s; the rest is for a busy machine. */
const SETTLE_MS = 20_000;
/** The share of the full numbers of a quick run. */
const QUICK = 0.2;
const ASK_MS = 500;
const WARM_CALLS = 2_000;

/** Every kind of hostile peer, in turn, from one process, while well-behaved callers are served. */
export const hostilePeers: Row = {
  name: 'hostile-peers',
  fault: 'hostile peers: 60 KB metadata, 5,000 half-open streams, 500 silent sockets, ping and reset floods, gzip bombs, HTTP/1 and random bytes, 10,000 fuzzed frames and messages',
  must: '0 exits, memory + <= 50 MB, >= 99.9 % of the others ok',
  mechanism: "the door's limits",
  run: ({ seed, size, mechanism }) =>
    inCluster(seed, '', async (cluster) => {
      const node = await cluster.node({ name: 'one', workers: 64, limits: mechanism === 'on' });
      const load = await cluster.load({ perSecond: 300, deadlineMs: 2_000 });
      const running = load.run();
      // A process grows until it is warm, whoever calls it.
      await load.answered(WARM_CALLS);
      const before = await memoryMb(node);
      const attacked: string[] = [];
      await cluster.beHostileTo(node, size === 'full' ? 1 : QUICK, (attack) => attacked.push(attack));
      const after = await settled(node, before);
      load.end();
      const { calls } = await running;
      const grown = after - before;
      const ok = okShare(calls);
      const facts = `${attacked.length} attacks, ${node.hasEnded() ? 1 : 0} exits, memory ${before.toFixed(0)} -> ${after.toFixed(0)} MB, ${calls.length} calls of others, ${percent(ok)} ok ${JSON.stringify(reasons(calls))}`;
      return { holds: !node.hasEnded() && grown <= MAX_GROWTH_MB && ok >= 0.999, facts };
    }),
};

/** What it has at last, once it is no more than allowed or the time for that is over. NaN: the process has ended. */
async function settled(node: Node, before: number): Promise<number> {
  const end = Date.now() + SETTLE_MS;
  let now = await memoryMb(node);
  while (now - before > MAX_GROWTH_MB && Date.now() < end) {
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
