import { duplicatesOf } from '../cluster.ts';
import { okShare, reasons } from '../figures.ts';
import { inCluster, percent, type Row, without } from '../row.ts';

const NODES = ['one', 'two', 'three'] as const;
const NODE = { workers: 64, serviceMs: 50 } as const;

/** An instance dies in the middle of its calls; another comes in its place. */
export const kill: Row = {
  name: 'kill',
  fault: 'kill -9 of one of three instances, again and again',
  must: '>= 99.9 % ok, 0 duplicate effects',
  mechanism: 'retries',
  run: ({ seed, size, mechanism }) =>
    inCluster(seed, mechanism === 'on' ? '' : without('retries'), async (cluster) => {
      const kills = { full: 10, quick: 3, smoke: 1 }[size];
      const nodes = await Promise.all(NODES.map((name) => cluster.node({ name, ...NODE })));
      const load = await cluster.load({ perSecond: 200, mix: { read: 0.99, apply: 0.01 }, deadlineMs: 2_000 });
      const running = load.run();
      for (let round = 0; round < kills; round += 1) {
        const index = round % NODES.length;
        // Calls are on their way to it: it has just been one of three that answer.
        await load.answered(200);
        await nodes[index]?.kill();
        nodes[index] = await cluster.node({ name: `${NODES[index]}-${round}`, ...NODE });
      }
      load.end();
      const { calls } = await running;
      const duplicates = duplicatesOf(cluster.effects());
      const ok = okShare(calls);
      const facts = `${kills} kills, ${calls.length} calls, ${percent(ok)} ok ${JSON.stringify(reasons(calls))}, ${duplicates.length} duplicate effects`;
      return { holds: ok >= 0.999 && duplicates.length === 0, facts };
    }),
};
