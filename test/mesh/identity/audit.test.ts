import { expect } from 'chai';

import { type Audit, createAudit } from '../../../mesh/identity/audit.ts';
import { until } from '../../discovery/support/until.ts';
import { captureLog } from '../../tracing/captured-log.ts';

describe('the audit', () => {
  let nowMs = 1_000_000;
  let wake: () => void = () => undefined;
  let naps = 0;
  let audit: Audit;
  const clock = {
    now: () => nowMs,
    sleep: (ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        naps += 1;
        wake = () => ((nowMs += ms), resolve());
        signal?.addEventListener('abort', () => reject(signal.reason));
      }),
  };
  /** Lets ten seconds pass, and what happens then happen. */
  async function pass(): Promise<void> {
    const before = naps;
    wake();
    await until('it sleeps again', () => naps > before);
  }

  function open() {
    const { log, lines } = captureLog('warn');
    audit = createAudit({ log, clock });
    return lines;
  }
  const note = (kind: string) => audit.note(kind, 'a call was refused', { source: kind });
  const summary = (lines: ReturnType<typeof open>) => lines.map(({ name, level, msg, source, leftOut }) => [name, level, msg, source, leftOut]);
  afterEach(() => audit.stop());

  it('writes a line for each kind of refusal, and none for those like it within ten seconds', () => {
    const lines = open();
    for (const kind of ['cart', 'web', 'cart', 'cart']) note(kind);
    expect(summary(lines)).to.deep.equal([['audit', 'warn', 'a call was refused', 'cart', undefined], ['audit', 'warn', 'a call was refused', 'web', undefined]]);
  });

  it('says later how many it left out, also when nothing more happens', async () => {
    const lines = open();
    for (let calls = 0; calls < 1_000; calls += 1) note('cart');
    await pass();
    expect(summary(lines).map(([, , , , leftOut]) => leftOut)).to.deep.equal([undefined, 999]);
    note('cart');
    expect(lines).to.have.length(2);
  });

  it('forgets a kind that did not come again', async () => {
    const lines = open();
    note('cart');
    wake();
    await until('it is forgotten', () => (note('cart'), lines.length === 2));
  });

  it('tells a thousand kinds apart, and counts the others together', () => {
    const lines = open();
    for (let kind = 0; kind < 1_100; kind += 1) note(`kind-${kind}`);
    expect(lines).to.have.length(1_001);
    expect(lines.at(-1)?.msg).to.equal('calls of many more kinds were refused');
  });

  it('writes what it left out when it stops', async () => {
    const lines = open();
    for (const kind of ['cart', 'cart', 'cart']) note(kind);
    await audit.stop();
    expect(lines.at(-1)).to.include({ leftOut: 2, source: 'cart' });
  });
});
