import { between, byInstance, percentile } from '../figures.ts';
import { at, inCluster, type Row, without } from '../row.ts';

const NODES = ['one', 'two', 'three'] as const;
/** 50 times that is 500 ms. */
const SERVICE_MS = 10;
/** Where the healthy p99 is itself a busy machine's doing, twice that says nothing: between ten and 25 times the service time counts. */
const BOUNDS_MS = { least: 100, most: 250 } as const;
const SECONDS = { healthy: 4, untilNoticed: 5, spoilt: 5, untilBack: 12 } as const;

/** One of three instances becomes 50 times as slow, and later well again. */
export const slowInstance: Row = {
  name: 'slow-instance',
  fault: 'one of three instances 50x slower',
  must: 'p99 within 2x of the healthy run after 5 s; ejected, later back',
  mechanism: 'ejection',
  run: ({ seed, mechanism }) =>
    inCluster(seed, mechanism === 'on' ? '' : without('ejection'), async (cluster) => {
      const [one, two, three] = await Promise.all(NODES.map((name) => cluster.node({ name, workers: 64, serviceMs: SERVICE_MS })));
      if (!one || !two || !three) throw new Error('three instances were started');
      const spoiltAt = SECONDS.healthy * 1_000;
      const noticedAt = spoiltAt + SECONDS.untilNoticed * 1_000;
      const mendedAt = noticedAt + SECONDS.spoilt * 1_000;
      const endAt = mendedAt + SECONDS.untilBack * 1_000;
      const load = await cluster.load({ perSecond: 100, durationMs: endAt, deadlineMs: 2_000 });
      const from = Date.now();
      const running = load.run();
      await at(from, spoiltAt);
      two.order({ kind: 'behave', slowness: 50, failing: 0 });
      await at(from, mendedAt);
      two.order({ kind: 'behave', slowness: 1, failing: 0 });
      const { calls } = await running;
      const healthy = percentile(between(calls, from + 1_000, from + spoiltAt), 0.99);
      const spoilt = percentile(between(calls, from + noticedAt, from + mendedAt), 0.99);
      const back = byInstance(between(calls, from + endAt - 3_000, from + endAt))['two'] ?? 0;
      const facts = `p99 ${healthy.toFixed(0)} ms healthy, ${spoilt.toFixed(0)} ms with the slow one, ${back} calls to it in the last 3 s`;
      return { holds: spoilt <= Math.min(BOUNDS_MS.most, Math.max(BOUNDS_MS.least, 2 * healthy)) && back > 0, facts };
    }),
};
