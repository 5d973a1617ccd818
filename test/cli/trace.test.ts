import { expect } from 'chai';

import { silentLog } from '#kit';
import { fetchTrace } from '#tracing';
import { startCollector } from '#tracing/collector';

import { freePort } from '../backends/free-port.ts';
import { postSpans } from '../tracing/http.ts';
import { exportOfSpan, type SentSpan } from '../tracing/otlp-json.ts';
import { type TraceBackend, traceBackends } from '../tracing/trace-backends.ts';
import { eventually } from './support/eventually.ts';
import { meshHere } from './support/in-process.ts';
import type { Finished } from './support/mesh-command.ts';
import { makeShopFolder, type ShopFolder } from './support/shop-folder.ts';

const [SERVER, CLIENT] = [2, 3];
const ORDER_ID = '01a201e5-d91f-7618-bbd6-df42573bcf26';
const SENTENCE = 'the card was declined; use another one';
const [PLACED, CANCELLED, BACKGROUND, LAST, TORN] = ['a', 'b', 'c', 'd', 'e'].map((digit) => digit.repeat(32)) as [string, string, string, string, string];

const text = (stringValue: string): object => ({ stringValue });
const id = (digit: string): string => digit.repeat(16);
const subject = { 'shopmesh.saga.subject': text(ORDER_ID) };
const declined = { 'error.type': text('FAILED_PRECONDITION'), 'mesh.error.reason': text('CARD_DECLINED') };

/** An order placed, whose card is declined; cancelled; work of the shop's own; a call after that; and a trace without its beginning. */
const SPANS: readonly SentSpan[] = [
  { traceId: PLACED, service: 'order', spanId: id('1'), name: 'shop.order.v1.OrderService/PlaceOrder', kind: SERVER, durationUs: 10_000 },
  { traceId: PLACED, service: 'order', spanId: id('2'), parentSpanId: id('1'), name: 'saga charge', startUs: 1_000, durationUs: 8_000, attributes: subject },
  {
    traceId: PLACED,
    service: 'order',
    spanId: id('3'),
    parentSpanId: id('2'),
    name: 'shop.payment.v1.PaymentService/Charge',
    kind: CLIENT,
    startUs: 2_000,
    durationUs: 6_000,
    attributes: { 'rpc.method': text('Charge'), ...declined },
    failure: SENTENCE,
  },
  {
    traceId: PLACED,
    service: 'payment',
    spanId: id('4'),
    parentSpanId: id('3'),
    name: 'shop.payment.v1.PaymentService/Charge',
    kind: SERVER,
    startUs: 3_000,
    durationUs: 4_000,
    attributes: declined,
  },
  {
    traceId: CANCELLED,
    service: 'order',
    name: 'saga refund',
    startUs: 20_000,
    attributes: { ...subject, 'shopmesh.saga.id': text('of its own') },
    link: { traceId: PLACED, spanId: id('1') },
  },
  { traceId: LAST, service: 'user', name: 'shop.user.v1.UserService/GetUser', kind: SERVER, startUs: 30_000 },
  { traceId: BACKGROUND, service: 'inventory', name: 'expire reservations', startUs: 40_000 },
  { traceId: TORN, service: 'user', name: 'left over', startUs: 5_000, parentSpanId: id('f') },
];

for (const { name, start } of traceBackends) {
  describe(`mesh trace, read from ${name}`, function () {
    this.timeout(60_000);
    this.slow(5_000);

    let folder: ShopFolder;
    let backend: TraceBackend | undefined;
    before(async function () {
      backend = await start();
      if (backend === undefined) return this.skip();
      folder = await makeShopFolder({ MESH_JAEGER_URL: backend.queryUrl });
      const { otlpUrl, queryUrl } = backend;
      for (const span of SPANS) expect((await postSpans(otlpUrl, exportOfSpan(span))).status).to.equal(200);
      // Jaeger takes spans in first and shows them a little later, each in its own time.
      for (const [traceId, sent] of Map.groupBy(SPANS, (span) => span.traceId)) {
        await eventually(`all of trace ${traceId} can be read`, async () => (await fetchTrace(queryUrl, traceId ?? ''))?.spanCount === sent.length);
      }
    });
    after(() => Promise.all([backend?.stop(), folder?.remove()]));

    const here = (...args: string[]): Promise<Finished> => meshHere(['trace', ...args], folder.environment);

    it('shows a trace with its times, its critical path, its errors', async () => {
      const { exitCode, stdout, stderr } = await here(PLACED.toUpperCase());
      expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: '' });
      const lines = stdout.split('\n');
      expect(lines[0]).to.equal(`trace ${PLACED}: 4 spans, 2 services, 10.0 ms, 1 error`);
      expect(stdout).to.match(/^order +OrderService\/PlaceOrder +0 ms +10\.0 ms +2\.0 ms +━/m);
      expect(stdout).to.match(/^payment +└─ PaymentService\/Charge +3\.0 ms +4\.0 ms +4\.0 ms +━+$/m);
      expect(stdout).to.include(`CARD_DECLINED: ${SENTENCE}\n`);
      expect(stdout).to.match(/^Critical path, 10\.0 ms:\n {4}4\.0 ms {3}40 % {2}payment {2}PaymentService\/Charge$/m);
      expect(stdout).to.include(`\nErrors:\n  payment  PaymentService/Charge  CARD_DECLINED: ${SENTENCE}\n`);
      expect(Math.max(...lines.map(({ length }) => length))).to.be.at.most(110);
    });

    it('gives programs one document', async () => {
      const { stdout } = await here(PLACED, '--json');
      const trace = JSON.parse(stdout) as { spans: object[] };
      expect(stdout.trim().split('\n')).to.have.length(1);
      expect(trace).to.deep.include({ traceId: PLACED, complete: true, durationUs: 10_000, linkedTraces: [] });
      expect(trace).to.have.deep.nested.property('errors[0]', {
        spanId: id('4'),
        service: 'payment',
        operation: 'shop.payment.v1.PaymentService/Charge',
        reason: 'CARD_DECLINED',
        sentence: SENTENCE,
      });
      expect(trace).to.deep.nested.include({ 'criticalPath[0].us': 4_000, 'criticalPath[0].service': 'payment' });
      expect(trace.spans[1]).to.include({ spanId: id('2'), parentSpanId: id('1'), criticalUs: 2_000 });
    });

    it('shows every trace of an order, the newest last, and how to see those it continues', async () => {
      const { exitCode, stdout } = await here('--order', ORDER_ID);
      expect(exitCode).to.equal(0);
      expect(stdout.match(/^trace \w+/gm)).to.deep.equal([`trace ${PLACED}`, `trace ${CANCELLED}`]);
      expect(stdout).to.include(`continues span ${id('1')} of trace ${PLACED}\n`).and.include(`\nLinked traces:\n  npx mesh trace ${PLACED}\n`);
      expect((await here('--order', ORDER_ID, '--json')).stdout.trim().split('\n')).to.have.length(2);
    });

    it('finds an order also by the id of a saga', async () => {
      expect((await here('--order', 'of its own')).stdout).to.include(`trace ${CANCELLED}`);
    });

    it('shows the newest call from outside, and not the shop\'s own work after it', async () => {
      expect((await here('--last')).stdout).to.include(`trace ${LAST}: 1 span,`).and.not.include(BACKGROUND);
    });

    it('waits for what is missing, then says what it is', async () => {
      const { exitCode, stdout } = await here(TORN);
      expect(exitCode).to.equal(0);
      expect(stdout).to.include(`the trace is not complete; missing: the parent span ${id('f')}; what is on its way`);
    });

    for (const [args, what] of [
      [['0'.repeat(32)], `trace ${'0'.repeat(32)}`],
      [['--order', 'o-404'], 'a trace of order o-404'],
    ] as const) {
      it(`says that it does not have ${what}, and why that may be`, async () => {
        const { exitCode, stdout, stderr } = await meshHere(['trace', ...args], { ...folder.environment, MESH_TRACE_PERCENT: '10' });
        expect({ exitCode, stdout }).to.deep.equal({ exitCode: 1, stdout: '' });
        expect(stderr).to.include(`${backend?.queryUrl} does not have ${what}: check the id`).and.include('(NOT_FOUND, TRACE_NOT_FOUND)');
        expect(stderr).to.include('was not recorded (MESH_TRACE_PERCENT is 10)').and.include('older than what is kept');
      });
    }
  });
}

describe('mesh trace that cannot be', function () {
  this.slow(5_000);
  let folder: ShopFolder;
  before(async () => {
    folder = await makeShopFolder();
  });
  after(() => folder?.remove());

  const traced = (settings: Record<string, string>, ...args: string[]): Promise<Finished> => meshHere(['trace', ...args], { ...folder.environment, ...settings });

  it('says who does not answer, and what to do', async () => {
    const queryUrl = `http://127.0.0.1:${await freePort()}`;
    for (const args of [['--last'], ['--order', 'x'], ['abc']]) {
      const { exitCode, stderr } = await traced({ MESH_JAEGER_URL: queryUrl }, ...args);
      expect(exitCode).to.equal(1);
      expect(stderr).to.include(`error: ${queryUrl}/api/traces`).and.include('does not answer').and.include('MESH_JAEGER_URL').and.include('UNREACHABLE');
    }
  });

  it('says of a fresh shop that no call has been made yet', async () => {
    const collector = await startCollector({ host: '127.0.0.1', otlpPort: 0, queryPort: 0, log: silentLog });
    const { exitCode, stderr } = await traced({ MESH_JAEGER_URL: collector.queryUrl }, '--last');
    await collector.stop();
    expect(exitCode).to.equal(1);
    expect(stderr).to.include('no call has been made yet').and.include('TRACE_NOT_FOUND').and.not.include('check the id');
  });

  it('looks beside the receiver of the spans where no shop runs and nothing else is set', async () => {
    const { stderr } = await traced({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.2:4318' }, 'abc');
    expect(stderr).to.include('http://127.0.0.2:16686').and.include('no shop runs in this folder: start it with `npm start`, or set MESH_JAEGER_URL');
  });

  it('says that spans go nowhere, and that an address is none', async () => {
    expect((await traced({ OTEL_TRACES_EXPORTER: 'none' }, '--last')).stderr).to.include('OTEL_TRACES_EXPORTER is none').and.include('INVALID_SETTING');
    expect((await traced({ MESH_JAEGER_URL: 'here' }, '--last')).stderr).to.include('MESH_JAEGER_URL is here, which is not a URL');
    expect((await traced({ OTEL_EXPORTER_OTLP_ENDPOINT: 'there' }, '--last')).stderr).to.include('OTEL_EXPORTER_OTLP_ENDPOINT is not a URL');
  });

  for (const [args, says] of [
    [[], 'say which trace: its id, --last, or --order <id>'],
    [['--last', 'abc'], 'say which trace'],
    [['xyz'], 'A trace id is up to 32 hexadecimal digits.'],
    [[ORDER_ID], `mesh trace --order ${ORDER_ID}`],
  ] as const) {
    it(`answers \`mesh ${['trace', ...args].join(' ')}\` with exit code 2 and what is wrong`, async () => {
      const { exitCode, stderr } = await traced({}, ...args);
      expect(exitCode).to.equal(2);
      expect(stderr).to.include(says);
    });
  }
});
