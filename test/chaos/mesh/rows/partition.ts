import { between, okShare, percentile, reasons } from '../figures.ts';
import { at, inCluster, percent, type Row, without } from '../row.ts';
import { type Line, openTcpDoor } from '../tcp-door.ts';

const DEADLINE_MS = 500;
/**
 * Twenty on their way to each: balancing sends to where fewer are on their way, and to a black hole as many as those, each
 * time that their deadline takes them away. Were there fewer, nobody would miss what leaves the instance out.
 */
const PER_SECOND = 200;
const SERVICE_MS = 100;
/** How much later than its deadline a call may end on a busy machine: five times what is meant, 100 ms. */
const LATE_MS = 500;
/** Share of calls that are answered where nothing is wrong, on a busy machine. */
const ENOUGH = 0.98;
const LINES: readonly Line[] = ['black-hole', 'cut'];
const SECONDS = { well: 2, spoilt: 6, noticed: 3, recovery: 2, after: 4 } as const;

/** The line to one of two instances swallows everything, or resets every connection. */
export const partition: Row = {
  name: 'partition',
  fault: 'partition, black hole, resets between two services',
  must: 'fails within the deadline; recovers <= 2 s',
  mechanism: 'ejection',
  run: ({ seed, size, mechanism }) =>
    inCluster(seed, mechanism === 'on' ? '' : without('ejection'), async (cluster) => {
      const door = await openTcpDoor();
      try {
        const behind = await cluster.node({ name: 'behind', workers: 64, serviceMs: SERVICE_MS });
        door.leadTo(behind.port);
        // The line between the two services alone: for the registry the instance is well.
        cluster.agent.redirect(behind.port, door.port);
        await cluster.node({ name: 'other', workers: 64, serviceMs: SERVICE_MS });
        const lines = size === 'full' ? LINES : LINES.slice(0, 1);
        const roundMs = (SECONDS.well + SECONDS.spoilt + SECONDS.recovery + SECONDS.after) * 1_000;
        const load = await cluster.load({ perSecond: PER_SECOND, durationMs: lines.length * roundMs, mix: { apply: 1 }, deadlineMs: DEADLINE_MS });
        const from = Date.now();
        const running = load.run();
        for (const [round, line] of lines.entries()) {
          await at(from, round * roundMs + SECONDS.well * 1_000);
          door.set(line);
          await at(from, round * roundMs + (SECONDS.well + SECONDS.spoilt) * 1_000);
          door.set('open');
        }
        const { calls } = await running;
        const spans = lines.map((line, round) => {
          const spoilt = from + round * roundMs + SECONDS.well * 1_000;
          const mended = spoilt + SECONDS.spoilt * 1_000;
          return {
            line,
            noticed: okShare(between(calls, spoilt + SECONDS.noticed * 1_000, mended)),
            recovered: okShare(between(calls, mended + SECONDS.recovery * 1_000, mended + (SECONDS.recovery + SECONDS.after) * 1_000)),
          };
        });
        const longest = percentile(calls, 1);
        const facts = [
          `longest call ${longest.toFixed(0)} ms of ${DEADLINE_MS}`,
          ...spans.map(({ line, noticed, recovered }) => `${line}: ${percent(noticed)} ok once noticed, ${percent(recovered)} from 2 s after`),
          JSON.stringify(reasons(calls)),
        ].join('; ');
        return { holds: longest <= DEADLINE_MS + LATE_MS && spans.every(({ noticed, recovered }) => noticed >= ENOUGH && recovered >= ENOUGH), facts };
      } finally {
        await door.stop();
      }
    }),
};
