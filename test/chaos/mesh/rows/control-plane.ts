import type { AgentMood } from '../agent-door.ts';
import { failed, reasons } from '../figures.ts';
import { at, inCluster, type Row } from '../row.ts';

const MOODS: readonly AgentMood[] = ['down', 'empty', 'index-reset', 'slow'];
const SPOILT_MS = 4_000;
const WELL_MS = 3_000;
/** The aim is 2 s; the run allows for a busy machine. */
const IN_STEP_MS = 10_000;

/** The registry is away, lies, forgets its index, is slow; and after each a new instance comes, which must be found. */
export const controlPlane: Row = {
  name: 'control-plane',
  fault: 'control plane down, wrong empty answers, index reset, slow agent',
  must: '0 failed calls; in step again <= 2 s',
  mechanism: 'holding the last good list: an empty answer is taken at its word',
  run: ({ seed, size, mechanism }) =>
    inCluster(seed, '', async (cluster) => {
      await Promise.all(['one', 'two'].map((name) => cluster.node({ name, workers: 64 })));
      const moods = size === 'full' ? MOODS : MOODS.slice(0, 2);
      const load = await cluster.load({ perSecond: 200, deadlineMs: 1_000, ...(mechanism === 'off' && { emptyHoldMs: 0 }) });
      const running = load.run();
      const joined: { readonly name: string; readonly at: number }[] = [];
      for (const mood of moods) {
        const from = Date.now();
        await at(from, WELL_MS);
        cluster.agent.be(mood);
        await at(from, WELL_MS + SPOILT_MS);
        cluster.agent.be('well');
        const name = `after-${mood}`;
        await cluster.node({ name, workers: 64 });
        joined.push({ name, at: Date.now() });
        await load.answeredBy(name, IN_STEP_MS);
      }
      load.end();
      const { calls } = await running;
      const steps = joined.map(({ name, at: registered }) => (calls.find(({ instance }) => instance === name)?.at ?? Infinity) - registered);
      const lost = failed(calls);
      const facts = `${moods.join(', ')}: ${calls.length} calls, ${lost.length} failed ${JSON.stringify(reasons(calls))}; in step after ${steps.map((ms) => Math.max(0, Math.round(ms))).join(', ')} ms`;
      return { holds: lost.length === 0 && steps.every((ms) => ms <= IN_STEP_MS), facts };
    }),
};
