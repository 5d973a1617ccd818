import { expect } from 'chai';

import { systemClock } from '#kit';

import { startKafka } from '../backends/kafka.ts';
import { locateBackend } from '../backends/locate.ts';
import { seedOfRun } from '../shop/faults/sample.ts';
import { seedNumber } from './mesh/proofs.ts';
import { type MatrixOptions, type MatrixResult, runMatrix, SMALL_FLEET } from './orders/matrix.ts';
import { GUARD_ROWS, type GuardRow, isAskedFor, partsOf, type Row, ROWS } from './orders/rows.ts';
import { createSummary } from './orders/summary.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const SIZE = process.env['CHAOS_QUICK'] === 'true' ? 'quick' : 'full';
const ONLY = process.env['CHAOS_ONLY'] ?? '';
const seed = seedNumber(seedOfRun());
/** A guard that is off shows soon. */
const LOOK_FOR_GUARDS_EVERY = 4;
/** Longer than any of them: each wait has a limit of its own. */
const LONGEST_MS = 3_600_000;
/** Every way in which the card company may answer, at once; https://docs.stripe.com/error-low-level. */
const MISBEHAVING = JSON.stringify({ loseAnswer: 5, late: { percent: 5, ms: 1_500 }, twice: 20, outOfOrder: 20, down: { percent: 1, ms: 500 }, seed });

describe(`orders under kill -9 (--seed ${seedOfRun()})`, function () {
  this.timeout(LONGEST_MS);
  const summary = createSummary();
  let drawn = 0;

  for (const row of ROWS) {
    const parts = partsOf(row, SIZE, drawn);
    drawn += row.kills[SIZE];
    if (isAskedFor(row.name, ONLY)) describeRow(row, parts);
  }
  for (const row of GUARD_ROWS) if (isAskedFor(row.name, ONLY)) describeGuard(row);
  after(() => say(`\n--seed ${seedOfRun()}\n\n${summary.table()}\n`));

  function describeRow(row: Row, parts: ReturnType<typeof partsOf>): void {
    let kills = 0;
    let isLeftOut = false;
    for (const part of parts) {
      it(`${row.must} (${row.name}, ${part.kills} kills from the ${part.from + 1}.)`, async function () {
        if (row.isOnKafka && process.env['CI'] !== 'true' && (await locateBackend('kafka')) === undefined) {
          isLeftOut = true;
          this.skip();
        }
        const broker = row.isOnKafka ? await startKafka({ lifetimeMs: LONGEST_MS }) : undefined;
        try {
          const result = await run(`${row.name} ${part.from + 1}-${part.from + part.kills}`, {
            plan: (points) => row.plan({ ...part, seed, points }),
            ...(row.cardsMisbehave && { simulatorFaults: MISBEHAVING }),
            ...(broker && { broker }),
          });
          kills += result.kills;
          for (const what of result.wrong) say(`        ${what}`);
          expect(result.wrong).to.deep.equal([]);
        } finally {
          await broker?.stop();
        }
      });
    }
    const planned = parts.reduce((sum, part) => sum + part.kills, 0);
    it(`have met four of five kills at least (${row.name})`, function () {
      if (isLeftOut) this.skip();
      expect(kills).to.be.at.least(planned * 0.8);
    });
  }

  function describeGuard({ name, guard, plan, shows, atOnce }: GuardRow): void {
    it(`are not whole without the ${guard} (${name})`, async () => {
      const { wrong } = await run(name, {
        plan: (points) => plan(seed, points),
        guardsOff: [guard],
        fleet: SMALL_FLEET,
        lookEvery: LOOK_FOR_GUARDS_EVERY,
        until: shows,
        ...(atOnce !== undefined && { atOnce }),
      });
      const shown = wrong.find((what) => shows.test(what));
      say(`        ${shown?.split('\n')[0] ?? 'nothing'}`);
      expect(shown, `it shows nothing of that guard, and so proves nothing: ${wrong.join('\n')}`).not.to.equal(undefined);
    });
  }

  async function run(name: string, options: Omit<MatrixOptions, 'say'>): Promise<MatrixResult> {
    const beganMs = systemClock.now();
    const result = await runMatrix({ ...options, say: (line) => say(`      ${name}: ${line}`) });
    summary.add(name, result, (systemClock.now() - beganMs) / 1_000);
    for (const what of result.missed) say(`        not met: ${what}`);
    return result;
  }
});
