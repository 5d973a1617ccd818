import type { Cluster } from '../cluster.ts';
import { reasons } from '../figures.ts';
import type { Load } from '../load.ts';
import type { Node } from '../node.ts';
import { at, inCluster, type Row, type Verdict, without } from '../row.ts';

const HOPS = ['first', 'second', 'third', 'last'] as const;
const FAILING: readonly number[] = [0.3, 1];
const PER_SECOND = 200;
/** A call and a fifth is what the budget allows, and ten a second more. */
const MAX_ATTEMPTS = 1.3;

/** A chain of four services, each in a process of its own, of which the last fails. */
export const oneLayer: Row = {
  name: 'one-layer',
  fault: 'the last of four hops fails 30 % of its calls, then all',
  must: 'attempts there <= 1.3x the calls: retries at one layer only',
  mechanism: 'the word of the one below that it has tried',
  // These would end calls before they are tried: what is measured here is what retries do without them.
  run: ({ seed, size, mechanism }) =>
    inCluster(seed, without('ejection', 'circuit', 'admission'), async (cluster) => {
      const heedsHints = mechanism === 'on';
      const last = await startChain(cluster, heedsHints);
      const spanMs = size === 'full' ? 10_000 : 4_000;
      const load = await cluster.load({ service: HOPS[0], heedsHints, perSecond: PER_SECOND, durationMs: FAILING.length * spanMs, deadlineMs: 2_000 });
      return watch(load, last, spanMs);
    }),
};

/** Starts the hops, last one first; returns that one. */
async function startChain(cluster: Cluster, heedsHints: boolean): Promise<Node> {
  const hop = (index: number): Promise<Node> =>
    cluster.node({ ...{ name: `${HOPS[index]}`, service: `${HOPS[index]}`, next: HOPS[index + 1], heedsHints }, ...{ workers: 256, serviceMs: 1 } });
  const [last] = await Promise.all(HOPS.map((_, index) => hop(HOPS.length - 1 - index)));
  if (!last) throw new Error('there are hops');
  return last;
}

/** Lets each share fail for a span of the load, and counts what the last hop hears of it. */
async function watch(load: Load, last: Node, spanMs: number): Promise<Verdict> {
  const from = Date.now();
  const running = load.run();
  const heard = [(await last.read()).served];
  for (const [index, failing] of FAILING.entries()) {
    last.order({ kind: 'behave', slowness: 1, failing });
    await at(from, (index + 1) * spanMs);
    heard.push((await last.read()).served);
  }
  const { calls } = await running;
  const attempts = FAILING.map((_, index) => {
    const [begin, end] = [from + index * spanMs, from + (index + 1) * spanMs];
    const asked = calls.filter(({ at: due }) => due >= begin && due < end).length;
    return ((heard[index + 1] ?? 0) - (heard[index] ?? 0)) / asked;
  });
  const facts = FAILING.map((failing, index) => `${failing * 100} % failing: ${attempts[index]?.toFixed(2)} attempts a call`).join(', ');
  return { holds: attempts.every((each) => each <= MAX_ATTEMPTS), facts: `${facts}, ${calls.length} calls ${JSON.stringify(reasons(calls))}` };
}
