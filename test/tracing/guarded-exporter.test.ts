import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { expect } from 'chai';

import { silentLog, systemClock } from '#kit';

import { createGuardedExporter } from '../../tracing/sdk/guarded-exporter.ts';
import type { SpanSender } from '../../tracing/sdk/span-sender.ts';
import { captureLog, type LogLine } from './captured-log.ts';

const levels = (lines: readonly LogLine[]): string[] => lines.map(({ level }) => level);

describe('guarded exporter', () => {
  const batch: ReadableSpan[] = [];
  const stuck = (closed: () => void): SpanSender => {
    let giveUp: () => void = () => undefined;
    return {
      send: () => new Promise((_, reject) => (giveUp = () => reject(new Error('closed')))),
      async close() {
        closed();
        giveUp();
      },
    };
  };
  let nowMs = 0;
  const clock = { ...systemClock, now: () => (nowMs += 1_000) };
  const deliver = (exporter: ReturnType<typeof createGuardedExporter>): Promise<number> =>
    new Promise((done) => exporter.export(batch, ({ code }) => done(code)));

  it('gives up a sender that is stuck and opens another', async () => {
    const { log, lines } = captureLog();
    let opened = 0;
    let closed = 0;
    const exporter = createGuardedExporter({
      endpoint: 'x',
      timeoutMs: 5,
      clock,
      log,
      open: async () => {
        opened += 1;
        return opened < 3 ? stuck(() => (closed += 1)) : { send: async () => undefined, close: async () => undefined };
      },
    });
    for (let attempt = 0; attempt < 4; attempt += 1) expect(await deliver(exporter)).to.equal(0);
    expect({ opened, closed }).to.deep.equal({ opened: 3, closed: 2 });
    expect(levels(lines)).to.deep.equal(['warn', 'info']);
    expect(lines[0]?.['cause']).to.contain('5 ms');
  });

  it('tries again when the exporter itself could not be loaded', async () => {
    const { log, lines } = captureLog();
    let opened = 0;
    const exporter = createGuardedExporter({
      endpoint: 'x',
      timeoutMs: 1_000,
      clock,
      log,
      open: async () => {
        opened += 1;
        if (opened === 1) throw new Error('no such package');
        return { send: async () => undefined, close: async () => undefined };
      },
    });
    await deliver(exporter);
    await deliver(exporter);
    await exporter.shutdown();
    expect(levels(lines)).to.deep.equal(['warn', 'info']);
  });

  it('drops what comes after the end', async () => {
    let opened = 0;
    const exporter = createGuardedExporter({
      endpoint: 'x',
      timeoutMs: 5,
      clock,
      log: silentLog,
      open: async () => stuck(() => (opened += 1)),
    });
    await exporter.shutdown();
    expect(await deliver(exporter)).to.equal(0);
    expect(opened).to.equal(0);
  });

  it('tries a backend that is down once a second, and once more at the end', async () => {
    let tried = 0;
    const frozen = { ...systemClock, now: () => nowMs };
    const send = async (): Promise<never> => {
      tried += 1;
      throw new Error('down');
    };
    const exporter = createGuardedExporter({
      endpoint: 'x',
      timeoutMs: 1_000,
      clock: frozen,
      log: silentLog,
      open: async () => ({ send, close: async () => undefined }),
    });
    for (let batches = 0; batches < 100; batches += 1) await deliver(exporter);
    expect(tried).to.equal(1);
    nowMs += 1_000;
    for (let batches = 0; batches < 100; batches += 1) await deliver(exporter);
    expect(tried).to.equal(2);
    exporter.hurry();
    await deliver(exporter);
    expect(tried).to.equal(3);
  });
});
