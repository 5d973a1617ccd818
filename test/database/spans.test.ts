import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { expect } from 'chai';

import type { Database } from '#database';
import { openTestDatabase } from './open-test-database.ts';
import { createTestDatabase, runSql, type TestDatabase } from './postgres-fixture.ts';

const find = { name: 'user.find', text: 'SELECT id FROM account WHERE secret = $1' };
const bad = { name: 'user.bad', text: 'SELECT $1::text::int AS wrong' };

describe('database spans', () => {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  const tracer = provider.getTracer('test');
  let place: TestDatabase;
  let database: Database;

  before(async function () {
    this.timeout(20_000);
    context.setGlobalContextManager(new AsyncLocalStorageContextManager());
    place = await createTestDatabase();
    await runSql(place.url, 'CREATE SCHEMA shop; CREATE TABLE shop.account (id int, secret text)');
    database = openTestDatabase({ url: place.url, tracer });
  });

  beforeEach(() => exporter.reset());

  after(async () => {
    await database.stop();
    await place.drop();
    context.disable();
  });

  /** The spans that came of `work`, and the one around it. */
  async function traced(work: () => Promise<unknown>): Promise<{ parent: string; spans: ReadableSpan[] }> {
    const parent = tracer.startSpan('parent');
    await context.with(trace.setSpan(context.active(), parent), work).catch(() => undefined);
    return { parent: parent.spanContext().spanId, spans: exporter.getFinishedSpans() };
  }

  it('say by the semantic conventions what ran where, and never with which values', async () => {
    const { parent, spans } = await traced(() => database.query(find, ['top-secret']));
    const [span] = spans;
    expect(spans).to.have.length(1);
    expect([span?.name, span?.kind, span?.parentSpanContext?.spanId]).to.deep.equal(['user.find', SpanKind.CLIENT, parent]);
    const { pathname, hostname } = new URL(place.url);
    expect(span?.attributes).to.deep.equal({
      'db.system.name': 'postgresql',
      'db.namespace': `${pathname.slice(1)}|shop`,
      'db.operation.name': 'SELECT',
      'db.query.summary': 'user.find',
      'db.query.text': find.text,
      'server.address': decodeURIComponent(hostname),
      'server.port': 5432,
    });
  });

  it('name a failure by its SQLSTATE and keep the message, which repeats values, out', async () => {
    const { spans } = await traced(() => database.query(bad, ['top-secret']));
    const [span] = spans;
    expect(span?.status).to.deep.equal({ code: SpanStatusCode.ERROR });
    expect(span?.attributes).to.include({ 'db.response.status_code': '22P02', 'error.type': '22P02' });
    expect(JSON.stringify([span?.attributes, span?.events])).not.to.contain('top-secret');
  });

  it('are made for the statements and the COMMIT of a transaction', async () => {
    const { parent, spans } = await traced(() => database.transaction('user.check', (tx) => tx.query(find, ['x'])));
    expect(spans.map(({ name }) => name)).to.deep.equal(['user.find', 'user.check.commit']);
    expect(spans.map((span) => span.parentSpanContext?.spanId)).to.deep.equal([parent, parent]);
  });

  it('are not made when nothing is being traced, as when a loop polls', async () => {
    await database.query(find, ['x']);
    await database.transaction('user.check', (tx) => tx.query(find, ['x']));
    await database.ping();
    expect(exporter.getFinishedSpans()).to.deep.equal([]);
  });
});
