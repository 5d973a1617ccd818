import { createLog } from '#kit';
import { type ExporterName, startTracing } from '#tracing';

/** How `runAndStop` wants a process to trace. */
export interface Scenario {
  readonly exporter: ExporterName;
  readonly endpoint: string;
  readonly exportTimeoutMs: number;
  readonly flushTimeoutMs: number;
}

export interface Outcome {
  /** How long the process lived on after tracing said that it had stopped. */
  readonly lingeredMs: number;
}

// Our own argument, written by the test.
const { endpoint, ...scenario } = JSON.parse(process.argv[2] ?? '') as Scenario;
const tracing = await startTracing({
  ...scenario,
  otlpEndpoint: endpoint,
  jaegerEndpoint: endpoint,
  sampleRatio: 1,
  log: createLog({ level: 'info' }),
});
tracing.tracer({ service: 'order', version: '1', instanceId: 'order-1' }).startSpan('x').end();
await tracing.stop();
const stopped = performance.now();
process.once('exit', () =>
  process.stdout.write(JSON.stringify({ lingeredMs: performance.now() - stopped } satisfies Outcome)),
);
