import { goodput, reasons } from '../figures.ts';
import { inCluster, type Row, without } from '../row.ts';

const NODE = { workers: 4, serviceMs: 20 } as const;
const CAPACITY = 200;
/** The first second is that in which the limit finds its place. */
const SETTLE_MS = 1_000;

/** Twice as many calls as the server can work off. */
export const overload: Row = {
  name: 'overload',
  fault: '2x overload for 30 s',
  must: 'goodput >= 80 % of capacity throughout',
  mechanism: 'admission',
  run: ({ seed, size, mechanism }) =>
    inCluster(seed, mechanism === 'on' ? '' : without('admission'), async (cluster) => {
      await cluster.node({ name: 'one', ...NODE });
      const durationMs = size === 'full' ? 30_000 : 8_000;
      const load = await cluster.load({ perSecond: 2 * CAPACITY, durationMs, mix: { read: 0.6, browse: 0.4 }, deadlineMs: 500 });
      const from = Date.now();
      const { calls } = await load.run();
      const each = goodput(calls, from + SETTLE_MS, from + durationMs);
      const worst = Math.min(...each);
      const facts = `${calls.length} calls in ${durationMs / 1_000} s, at worst ${worst} good answers a second of ${CAPACITY} (${each.join(', ')}); ${JSON.stringify(reasons(calls))}`;
      return { holds: worst >= 0.8 * CAPACITY, facts };
    }),
};
