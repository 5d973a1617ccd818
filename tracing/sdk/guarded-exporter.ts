import { ExportResultCode } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';

import { type Clock, errorCode, type Log } from '#kit';

import type { SpanSender } from './span-sender.ts';
import { settlesWithin } from './settles-within.ts';

export interface GuardOptions {
  /** Loads and opens the sender; called when the first batch is due, and again after one got stuck. */
  readonly open: () => Promise<SpanSender>;
  /** For the log. */
  readonly endpoint: string;
  /** After this a batch counts as lost and its sender is closed, whatever the sender itself thinks of time. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

export interface GuardedExporter extends SpanExporter {
  /** Resolves when no batch is under way. */
  forceFlush(): Promise<void>;
  /** From here on every batch has one attempt: whoever stops does not wait for retries. */
  hurry(): void;
}

/** How often a backend that is down is tried. What ends in between is not even serialized. */
const PROBE_EVERY_MS = 1_000;

/**
 * An exporter that may fail without anybody but the log noticing: one line when spans stop arriving, one when they
 * arrive again. The SDK is told of success in any case: it keeps no batch that failed, it would only report it again.
 */
export function createGuardedExporter({ open, endpoint, timeoutMs, clock, log }: GuardOptions): GuardedExporter {
  const underWay = new Set<Promise<void>>();
  let sender: Promise<SpanSender> | undefined;
  let isDown = false;
  let nextProbeMs = 0;
  let isHurried = false;
  let isClosed = false;

  async function deliver(spans: ReadableSpan[]): Promise<void> {
    if (isDown && !isHurried && clock.now() < nextProbeMs) return;
    const current = (sender ??= openAnew());
    const patience = isDown || isHurried ? 'once' : 'retry';
    const sending = current.then((opened) => opened.send(spans, patience));
    if (await settlesWithin(sending, timeoutMs)) {
      await sending.then(reportUp, reportDown);
      return;
    }
    // What is stuck holds its batch and its socket, so it goes; the next batch opens anew.
    if (sender === current) sender = undefined;
    reportDown(new Error(`no answer within ${timeoutMs} ms`));
    await close(current);
  }

  function openAnew(): Promise<SpanSender> {
    const opening = open();
    opening.catch(() => void (sender = undefined));
    return opening;
  }

  function reportUp(): void {
    if (isDown) log.info({ endpoint }, 'spans arrive at the trace backend again');
    isDown = false;
  }

  function reportDown(thrown: unknown): void {
    nextProbeMs = clock.now() + PROBE_EVERY_MS;
    if (isDown || isClosed) return;
    isDown = true;
    log.warn(
      { endpoint, cause: reasonOf(thrown) },
      'spans do not arrive at the trace backend; calls go on, and spans are dropped until it is back',
    );
  }

  return {
    export(spans, done) {
      if (isClosed) return done({ code: ExportResultCode.SUCCESS });
      const delivery = deliver(spans).finally(() => {
        underWay.delete(delivery);
        done({ code: ExportResultCode.SUCCESS });
      });
      underWay.add(delivery);
    },
    async forceFlush() {
      await Promise.all(underWay);
    },
    hurry: () => void (isHurried = true),
    async shutdown() {
      isClosed = true;
      if (sender !== undefined) await close(sender);
      await Promise.all(underWay);
    },
  };
}

/** A sender that could not even be opened has nothing to close. */
async function close(sender: Promise<SpanSender>): Promise<void> {
  const opened = await sender.catch(() => undefined);
  await opened?.close();
}

/** Node's error for a name with two addresses has a code and no message. */
function reasonOf(thrown: unknown): string {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return message === '' ? (errorCode(thrown) ?? 'unknown') : message;
}
