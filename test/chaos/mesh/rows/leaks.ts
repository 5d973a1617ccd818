import { setTimeout as delay } from 'node:timers/promises';

import type { NodeReading } from '../messages.ts';
import type { Node } from '../node.ts';
import { inCluster, type Row, without } from '../row.ts';

const MB = 1024 * 1024;
const SIZES = {
  full: { calls: 10_000, channels: 1_000 },
  quick: { calls: 2_000, channels: 200 },
  smoke: { calls: 300, channels: 20 },
} as const;
/** What a heap differs by from one collection to the next. */
const MAX_GROWTH_MB = 5;
/** The agent's own connections to the callee, and the callee's to the agent by which it follows its leaf and the roots: they come and go. */
const AGENT_CONNECTIONS = 4;
/** How long the callee may take to notice that its caller has ended. */
const SETTLE_MS = 5_000;

/** Calls whose callers go away, and meshes that come and go, in a process that stays. */
export const leaks: Row = {
  name: 'leaks',
  fault: '10,000 cancelled calls, 1,000 channels opened and closed',
  must: 'nothing leaks: handles, timers, memory',
  mechanism: 'putting away: each call leaves its timer, each channel is left open',
  run: ({ seed, size, mechanism }) =>
    // A call that is turned away cannot be cancelled.
    inCluster(seed, without('admission', 'ejection', 'circuit'), async (cluster) => {
      const node = await cluster.node({ name: 'one', workers: 256, serviceMs: 40 });
      const nodeBefore = await node.read();
      const { before, after, cancelled } = await cluster.churn({ ...SIZES[size], putsAway: mechanism === 'on' });
      const nodeAfter = await settled(node, nodeBefore.resources + AGENT_CONNECTIONS);
      const grownMb = (after.heapBytes - before.heapBytes) / MB;
      const facts = [
        `${cancelled} calls were cancelled`,
        `caller: heap ${(before.heapBytes / MB).toFixed(1)} -> ${(after.heapBytes / MB).toFixed(1)} MB, ${before.resources} -> ${after.resources} handles and timers`,
        `callee: ${nodeBefore.resources} -> ${nodeAfter.resources}`,
      ].join('; ');
      return { holds: grownMb <= MAX_GROWTH_MB && after.resources <= before.resources && nodeAfter.resources <= nodeBefore.resources + AGENT_CONNECTIONS, facts };
    }),
};

/** Its reading at last, once it holds no more than that or the time for that is over. */
async function settled(node: Node, resources: number): Promise<NodeReading> {
  const end = Date.now() + SETTLE_MS;
  let reading = await node.read();
  while (reading.resources > resources && Date.now() < end) {
    await delay(100);
    reading = await node.read();
  }
  return reading;
}
