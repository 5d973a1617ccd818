import { failed, reasons } from '../figures.ts';
import { inCluster, type Row } from '../row.ts';

const NODES = ['one', 'two', 'three'] as const;

/** Every instance is stopped and started again, one after the other, round after round, under load. */
export const rollingRestart: Row = {
  name: 'rolling-restart',
  fault: 'rolling restart of every instance, under load',
  must: '0 failed calls',
  mechanism: 'drain: an instance that is told to stop ends at once',
  run: ({ seed, size, mechanism }) =>
    inCluster(seed, '', async (cluster) => {
      const drains = mechanism === 'on';
      const rounds = size === 'full' ? 10 : 1;
      const nodes = await Promise.all(NODES.map((name) => cluster.node({ name, drains, workers: 64, serviceMs: 50 })));
      // The load lasts until the last restart: it is told, for how long that takes is not known before.
      const load = await cluster.load({ perSecond: 200, mix: { read: 0.5, apply: 0.5 }, deadlineMs: 2_000 });
      const running = load.run();
      for (let round = 0; round < rounds; round += 1) {
        for (const [index, name] of NODES.entries()) {
          await nodes[index]?.stop();
          nodes[index] = await cluster.node({ name, drains, workers: 64, serviceMs: 50 });
        }
      }
      load.end();
      const { calls } = await running;
      const lost = failed(calls);
      return { holds: lost.length === 0, facts: `${rounds * NODES.length} restarts, ${calls.length} calls, ${lost.length} failed ${JSON.stringify(reasons(calls))}` };
    }),
};
