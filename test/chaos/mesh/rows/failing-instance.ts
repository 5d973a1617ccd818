import { between, byInstance, okShare, percentile } from '../figures.ts';
import { at, inCluster, percent, type Row, without } from '../row.ts';

const NODES = ['one', 'two', 'three'] as const;
/** What a p99 of few calls differs by on a busy machine, whoever answers. */
const NOISE_MS = 100;
const SECONDS = { healthy: 4, untilNoticed: 5, spoilt: 5, untilBack: 12 } as const;

/** One of three instances fails three calls out of ten, at once and without a word of why. */
export const failingInstance: Row = {
  name: 'failing-instance',
  fault: 'one of three instances fails 30 % of its calls',
  must: 'p99 within 2x of the healthy run after 5 s; ejected, later back',
  mechanism: 'ejection',
  run: ({ seed, mechanism }) =>
    inCluster(seed, mechanism === 'on' ? '' : without('ejection'), async (cluster) => {
      const [, two] = await Promise.all(NODES.map((name) => cluster.node({ name, workers: 64, serviceMs: 10 })));
      if (!two) throw new Error('three instances were started');
      const spoiltAt = SECONDS.healthy * 1_000;
      const noticedAt = spoiltAt + SECONDS.untilNoticed * 1_000;
      const mendedAt = noticedAt + SECONDS.spoilt * 1_000;
      const endAt = mendedAt + SECONDS.untilBack * 1_000;
      // Calls that may not be made twice: no retry hides what the instance does.
      const load = await cluster.load({ perSecond: 200, durationMs: endAt, mix: { apply: 1 }, deadlineMs: 2_000 });
      const from = Date.now();
      const running = load.run();
      await at(from, spoiltAt);
      two.order({ kind: 'behave', slowness: 1, failing: 0.3 });
      await at(from, mendedAt);
      two.order({ kind: 'behave', slowness: 1, failing: 0 });
      const { calls } = await running;
      const healthy = percentile(between(calls, from + 1_000, from + spoiltAt), 0.99);
      const while30 = between(calls, from + noticedAt, from + mendedAt);
      const spoilt = percentile(while30, 0.99);
      const back = byInstance(between(calls, from + endAt - 3_000, from + endAt))['two'] ?? 0;
      const facts = `p99 ${healthy.toFixed(0)} -> ${spoilt.toFixed(0)} ms, ${percent(okShare(while30))} ok once it was noticed, ${back} calls to it in the last 3 s`;
      // Ejected: what still fails are the probes.
      return { holds: spoilt <= 2 * healthy + NOISE_MS && okShare(while30) >= 0.97 && back > 0, facts };
    }),
};
