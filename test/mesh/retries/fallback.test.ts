import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import { expect } from 'chai';

import { CODES, MeshError, refusal } from '#kit';
import type { CallContext } from '#mesh';
import { withSpan } from '#tracing';

import { withCallContext } from '../../../mesh/call-context.ts';
import { type FallbackOptions, withFallback } from '../../../mesh/fallback.ts';
import { failureOf } from '../support/outcome.ts';
import { createTelemetry, useTracePropagation } from '../support/telemetry.ts';
import { failure } from './support/calls.ts';

const unavailable = failure('UNAVAILABLE');

describe('a fallback', () => {
  useTracePropagation();

  type Answering = ReturnType<typeof withFallback<string>>;

  /** Asks for recommendations, for which `none` stands in. */
  const recommend = (primary: FallbackOptions<string>['primary'], more: Partial<FallbackOptions<string>> = {}): Answering =>
    withFallback({ name: 'recommendations', primary, fallback: () => 'none', ...more });

  it('is not asked when the primary answers', async () => {
    expect(await recommend(async () => 'books')).to.deep.equal({ value: 'books', degraded: false });
  });

  it('answers when the primary cannot, and the answer says so and why', async () => {
    expect(await recommend(() => Promise.reject(unavailable))).to.deep.equal({ value: 'none', degraded: true, because: unavailable });
  });

  it('hears why it is asked, and may take its time', async () => {
    const { value } = await recommend(() => Promise.reject(unavailable), { fallback: async ({ code }) => code });
    expect(value).to.equal('UNAVAILABLE');
  });

  it('stands in where somebody cannot answer now, and hides nothing else', async () => {
    const stoodIn: string[] = [];
    for (const code of CODES) {
      if (code === 'OK') continue;
      await recommend(() => Promise.reject(failure(code))).then(() => stoodIn.push(code), () => undefined);
    }
    expect(stoodIn).to.deep.equal(['DEADLINE_EXCEEDED', 'RESOURCE_EXHAUSTED', 'UNAVAILABLE']);
    const tooLarge = refusal('MESSAGE_TOO_LARGE', 'send less at once');
    expect(await failureOf(recommend(() => Promise.reject(tooLarge)))).to.equal(tooLarge);
  });

  it('does not hide a mistake in the program', async () => {
    const mistake = new TypeError('x is not a function');
    const thrown: unknown = await recommend(() => {
      throw mistake;
    }).catch((error: unknown) => error);
    expect(thrown).to.equal(mistake);
  });

  it('stands in where it is told to', async () => {
    const when = ({ code }: MeshError): boolean => code === 'NOT_FOUND';
    expect(await recommend(() => Promise.reject(failure('NOT_FOUND')), { when })).to.include({ degraded: true });
    expect(await failureOf(recommend(() => Promise.reject(unavailable), { when }))).to.equal(unavailable);
  });

  it('is not asked once nobody waits for the answer, whatever it is told', async () => {
    const when = (): boolean => true;
    expect(await failureOf(recommend(() => Promise.reject(failure('CANCELLED')), { when }))).to.include({ code: 'CANCELLED' });
    // The signal is all that is read of the served call.
    const served = withCallContext(ROOT_CONTEXT, { signal: AbortSignal.abort() } as CallContext);
    expect(await failureOf(context.with(served, () => recommend(() => Promise.reject(unavailable), { when })))).to.equal(unavailable);
  });

  it('that fails too leaves the primary’s error, with its own as the cause', async () => {
    const below = new MeshError('UNAVAILABLE', 'UNREACHABLE', 'nobody there', {
      metadata: { a: '1' },
      retry: { kind: 'never' },
      answeredBy: { service: 'recommendation', instance: 'r-1' },
    });
    const second = new Error('the cache is gone');
    const failed = await failureOf(recommend(() => Promise.reject(below), { fallback: () => Promise.reject(second) }));
    const { code, reason, message, metadata, retry, answeredBy } = below;
    expect(failed).to.deep.include({ code, reason, message, metadata, retry, answeredBy, cause: second });
  });

  it('shows on the active span', async () => {
    const telemetry = createTelemetry();
    await withSpan(telemetry.tracer('shop'), 'page', {}, () => recommend(() => Promise.reject(unavailable)));
    const [span] = telemetry.spans();
    expect(span?.attributes).to.deep.equal({ 'mesh.degraded': true });
    expect(span?.events.map(({ name, attributes }) => [name, attributes])).to.deep.equal([
      ['fallback', { 'mesh.fallback.name': 'recommendations', 'mesh.error.reason': 'UNAVAILABLE' }],
    ]);
  });

  it('leaves no mark on the span of a whole answer', async () => {
    const telemetry = createTelemetry();
    await withSpan(telemetry.tracer('shop'), 'page', {}, () => recommend(async () => 'books'));
    expect(telemetry.spans()[0]?.attributes).to.deep.equal({});
  });
});
