import { between, goodput, okShare } from '../figures.ts';
import { at, inCluster, percent, type Row, without } from '../row.ts';

/** Capacity 400 calls a second; 70 % of it. */
const NODE = { workers: 4, serviceMs: 10 } as const;
const PER_SECOND = 280;
/** 560 calls come during the stall. Whoever works off every one of them has 1.4 s of work before the first that is still wanted. */
const DEADLINE_MS = 500;
const STALL = { at: 3_000, ms: 2_000, recoveredAfter: 3_000, watched: 3_000 } as const;

/** The server stands still for two seconds, and comes back to all that arrived meanwhile. */
export const stall: Row = {
  name: 'stall',
  fault: '2 s stall at 70 % load',
  must: 'goodput >= 95 % within 3 s',
  mechanism: 'admission, deadlines that the server knows of, a budget for what is sent again, ejection',
  run: ({ seed, mechanism }) =>
    inCluster(seed, mechanism === 'on' ? '' : without('admission', 'ejection'), async (cluster) => {
      const node = await cluster.node({ name: 'one', ...NODE });
      const recoveredAt = STALL.at + STALL.ms + STALL.recoveredAfter;
      const endAt = recoveredAt + STALL.watched;
      const load = await cluster.load({ perSecond: PER_SECOND, durationMs: endAt, deadlineMs: DEADLINE_MS, naive: mechanism === 'off' });
      const from = Date.now();
      const running = load.run();
      await at(from, STALL.at);
      node.order({ kind: 'freeze', ms: STALL.ms });
      const { calls } = await running;
      const after = between(calls, from + recoveredAt, from + endAt);
      const each = goodput(calls, from + STALL.at, from + endAt);
      return { holds: okShare(after) >= 0.95, facts: `${percent(okShare(after))} ok from 3 s after the stall; good answers each second from its begin: ${each.join(', ')}` };
    }),
};
