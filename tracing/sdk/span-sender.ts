import { ExportResultCode } from '@opentelemetry/core';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';

/** Whether a batch that is refused is tried again: not while the backend is known to be down, nor when tracing stops. */
export type Patience = 'retry' | 'once';

/** One way of sending spans to a backend. */
export interface SpanSender {
  /** Resolves when the backend has taken the batch; rejects with why it did not. */
  send(spans: ReadableSpan[], patience: Patience): Promise<void>;
  /** Gives up what is under way and closes the connections. */
  close(): Promise<void>;
}

/** What the libraries' exporters have in common, whichever generation of the SDK they were built for. */
interface CallbackExporter {
  export(spans: ReadableSpan[], done: (result: { code: number; error?: Error }) => void): void;
}

/** An exporter's callback as a promise. */
export function sendThrough(exporter: CallbackExporter, spans: ReadableSpan[]): Promise<void> {
  return new Promise((arrived, lost) => {
    exporter.export(spans, ({ code, error }) => {
      if (code === ExportResultCode.SUCCESS) arrived();
      else lost(error ?? new Error('the backend refused the spans and gave no reason'));
    });
  });
}
