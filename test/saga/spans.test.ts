import { context, trace } from '@opentelemetry/api';
import { expect } from 'chai';

import { createTelemetry, useTracePropagation } from '../mesh/support/telemetry.ts';
import { recording, type SagaBench, startSagaBench } from './saga-bench.ts';

describe('the spans of a saga', () => {
  useTracePropagation();
  const telemetry = createTelemetry();
  const tracer = telemetry.tracer('order');
  let bench: SagaBench;
  before(async () => {
    bench = await startSagaBench({ tracer });
  });
  beforeEach(() => telemetry.reset());
  afterEach(() => bench.clear());
  after(() => bench?.stop());

  /** Runs sagas, each begun in a trace of its own, and returns the names of the spans of each trace. */
  async function run(count: number): Promise<string[][]> {
    const { definition } = recording({ a: {}, b: {} });
    const runner = bench.runnerOf(definition);
    const requests = Array.from({ length: count }, () => tracer.startSpan('request'));
    const runs = await Promise.all(requests.map((request, index) => context.with(trace.setSpan(context.active(), request), () => bench.begin(definition, `saga-${index}`, runner))));
    telemetry.reset();
    await Promise.all(runs.map((one) => one()));
    requests.forEach((request) => request.end());
    return requests.map((request) => spansOf(request.spanContext().traceId).map(({ name }) => name));
  }

  const spansOf = (traceId: string) => telemetry.spans().filter((span) => span.spanContext().traceId === traceId);

  it('tell each step and each writing, in the trace of the request that began it', async () => {
    const [names] = await run(1);
    expect(names).to.deep.equal(['saga a', 'saga.advance', 'saga b', 'saga.advance', 'saga.test.finish.commit', 'request']);
  });

  it('say of a writing that it was shared with others, in each of their traces', async () => {
    const traces = await run(8);
    for (const names of traces) expect(names).to.include.members(['saga a', 'saga.advance', 'saga b']);
    const sizes = telemetry.spans().map(({ attributes }) => attributes['db.operation.batch.size'] ?? 1);
    expect(Math.max(...sizes.map(Number)), 'some were').to.be.within(2, 8);
  });
});
