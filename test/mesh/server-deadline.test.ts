import { create } from '@bufbuild/protobuf';
import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { expect } from 'chai';

import { systemClock } from '#kit';
import { describeMethod, type ServerCall } from '#mesh';
import { Health, HealthCheckRequestSchema } from '#proto/grpc/health/v1/health_pb.js';

import { serverDeadline } from '../../mesh/server/deadline.ts';
import { forever } from './support/outcome.ts';
import { createServerCall } from './support/server-call.ts';
import { createTelemetry } from './support/telemetry.ts';

// Its contract names no deadline.
const WATCH = describeMethod(Health.method.watch);

describe('the deadline of a stream at its server', () => {
  const call = (changed: Partial<ServerCall>): ServerCall => Object.assign(createServerCall(WATCH, create(HealthCheckRequestSchema)), changed);
  const serve = serverDeadline(systemClock)(forever);

  it('is not written down where there is none: no exporter knows how to write Infinity', () => {
    const telemetry = createTelemetry();
    const span = telemetry.tracer('health').startSpan('watch');
    void serve(call({ context: trace.setSpan(ROOT_CONTEXT, span) }));
    span.end();
    expect(telemetry.spans().map(({ attributes }) => attributes)).to.deep.equal([{}]);
  });

  it('is kept here, whatever the transport does: it waits for readers that have stopped', async () => {
    const timed = call({ deadline: Date.now() + 10, timed: true });
    const failed = serve(timed).catch((error: unknown) => error);
    expect(await failed).to.include({ code: 'DEADLINE_EXCEEDED' });
    expect(timed.lifetime.reason).to.equal(await failed);
  });
});
