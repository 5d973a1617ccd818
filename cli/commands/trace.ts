import { MeshError, printable, refusal, systemClock } from '#kit';
import { isModuleName, MODULE_NAMES } from '#modules';
import { describeGaps, describeTrace, isComplete, linkedTraces, renderSummary, renderTrace, searchTraces, settledTrace, type TraceTree } from '#tracing';

import type { Output } from '../output.ts';
import { isKnownShop, noShopHere } from '../serving/known-shop.ts';
import { isGiven, type Resolved } from '../settings.ts';
import { settingsOfRunningShop } from './running-shop.ts';

/** Which traces to show. */
export type WantedTrace =
  | { readonly by: 'id'; readonly traceId: string }
  /** The newest call from outside. */
  | { readonly by: 'last' }
  /** All in which something was done about the order: placed, cancelled. */
  | { readonly by: 'order'; readonly orderId: string };

/** Where traces are read. */
interface Source {
  readonly queryUrl: string;
  /** Of the traces, in percent. */
  readonly recordedShare: number;
  /** What to do when nobody answers there. */
  readonly advice: string;
}

/** Where there is no terminal to ask. */
const PLAIN_WIDTH = 110;
/** How long spans are on their way: a process keeps them for that long, to send them with others. */
const ON_THEIR_WAY_MS = 500;
/** How long to wait for what should be there, and is not. */
const PATIENCE_MS = 2_000;
const ASK_EVERY_MS = 100;
const LOOKBACK_MS = 30 * 24 * 60 * 60 * 1_000;
/** Found traces of one service that are looked at. */
const MAX_FOUND = 20;

/** `mesh trace`: each trace as a picture with what it comes to, or as a document. */
export async function traceCommand(wanted: WantedTrace, output: Output): Promise<void> {
  const source = await findSource();
  try {
    for (const [index, traceId] of (await findIds(wanted, source)).entries()) {
      const tree = await settledTrace(source.queryUrl, traceId, isComplete, { deadlineMs: PATIENCE_MS, clock: systemClock });
      if (tree === undefined) throw notFound(`trace ${traceId}`, source);
      if (index > 0) output.note('');
      output.answer(() => forPeople(tree, output.width ?? PLAIN_WIDTH), describeTrace(tree));
    }
  } catch (thrown) {
    if (MeshError.from(thrown).reason !== 'UNREACHABLE') throw thrown;
    throw refusal('UNREACHABLE', `${MeshError.from(thrown).message}; ${source.advice}`, { cause: thrown });
  }
}

/** Each says something of where a shop's traces are. */
const TRACES_SAID = ['MESH_JAEGER_URL', 'OTEL_TRACES_EXPORTER', 'OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_JAEGER_ENDPOINT'];

async function findSource(): Promise<Source> {
  const { settings, supervisor } = await settingsOfRunningShop();
  const { MESH_JAEGER_URL: url, MESH_TRACE_PERCENT: recordedShare } = settings.values;
  if (!isKnownShop(settings) && !TRACES_SAID.some((name) => isGiven(name, settings))) throw noShopHere('CONSUL_HTTP_ADDR or MESH_JAEGER_URL');
  const queryUrl = url || besideReceiver(settings);
  if (!URL.canParse(queryUrl)) throw refusal('INVALID_SETTING', `MESH_JAEGER_URL is ${url}, which is not a URL; write it like http://127.0.0.1:16686`);
  const isTold = supervisor !== undefined || url !== '';
  const advice = isTold ? 'MESH_JAEGER_URL says where traces are read' : 'no shop runs in this folder: start it with `npm start`, or set MESH_JAEGER_URL';
  return { queryUrl, recordedShare, advice };
}

/** Jaeger's own port, on the machine that takes the spans. */
function besideReceiver({ values }: Resolved): string {
  if (values.OTEL_TRACES_EXPORTER === 'none') {
    throw refusal('INVALID_SETTING', 'OTEL_TRACES_EXPORTER is none: spans go nowhere, so there is no trace to read; set it to otlp or jaeger, and start the shop again');
  }
  const name = values.OTEL_TRACES_EXPORTER === 'jaeger' ? 'OTEL_EXPORTER_JAEGER_ENDPOINT' : 'OTEL_EXPORTER_OTLP_ENDPOINT';
  const receiver = URL.parse(values[name]);
  if (!receiver) throw refusal('INVALID_SETTING', `${name} is not a URL; write it like http://127.0.0.1:4318`);
  return `http://${receiver.hostname}:16686`;
}

/** The newest last. */
async function findIds(wanted: WantedTrace, source: Source): Promise<readonly string[]> {
  switch (wanted.by) {
    case 'id':
      return [wanted.traceId];
    case 'last':
      return patiently(() => lastCall(source), () => noCallYet(source));
    case 'order':
      return patiently(() => ofOrder(wanted.orderId, source), () => notFound(`a trace of order ${wanted.orderId}`, source));
  }
}

/** Searches so late that what happened right before the command is found, and again while there is nothing. */
async function patiently(find: () => Promise<readonly TraceTree[]>, nothing: () => MeshError): Promise<readonly string[]> {
  await systemClock.sleep(ON_THEIR_WAY_MS);
  const giveUpAt = systemClock.now() + PATIENCE_MS;
  for (;;) {
    const found = await find();
    if (found.length > 0) return found.map(({ traceId }) => traceId);
    if (systemClock.now() > giveUpAt) throw nothing();
    await systemClock.sleep(ASK_EVERY_MS);
  }
}

/** Whatever saga was about the order; the one that places it also has the order's id as its own. */
async function ofOrder(orderId: string, source: Source): Promise<readonly TraceTree[]> {
  const bySubject = await search(source, 'order', { 'shopmesh.saga.subject': orderId });
  return bySubject.length > 0 ? bySubject : search(source, 'order', { 'shopmesh.saga.id': orderId });
}

/** Commands send their spans when they end, services a little later: a command's own trace is the first to be found. */
const COMMANDS = 'mesh-cli';

async function lastCall(source: Source): Promise<readonly TraceTree[]> {
  const served = MODULE_NAMES.map((service) => search(source, service, { 'span.kind': 'server' }));
  const found = (await Promise.all([search(source, COMMANDS, {}), ...served])).flat();
  const calls = found.filter(({ roots: [root] }) => root !== undefined && (root.kind === 'server' || root.missingParent !== '' || !isModuleName(root.service)));
  return calls.sort((a, b) => (a.roots[0]?.startUs ?? 0) - (b.roots[0]?.startUs ?? 0)).slice(-1);
}

function search({ queryUrl }: Source, service: string, tags: Readonly<Record<string, string>>): Promise<readonly TraceTree[]> {
  return searchTraces(queryUrl, { service, tags, lookbackMs: LOOKBACK_MS, nowMs: systemClock.now(), limit: MAX_FOUND });
}

function noCallYet({ queryUrl, recordedShare }: Source): MeshError {
  const sampled = recordedShare < 100 ? `, or none was recorded (MESH_TRACE_PERCENT is ${recordedShare})` : '';
  return refusal('TRACE_NOT_FOUND', `no call has been made yet of which ${queryUrl} would know${sampled}; make one with \`npx mesh call\``);
}

function notFound(what: string, { queryUrl, recordedShare }: Source): MeshError {
  const sampled = recordedShare < 100 ? `was not recorded (MESH_TRACE_PERCENT is ${recordedShare}), ` : '';
  return refusal('TRACE_NOT_FOUND', `${queryUrl} does not have ${what}: check the id; or it ${sampled}is older than what is kept there, or was recorded elsewhere`);
}

function forPeople(tree: TraceTree, width: number): string {
  const gaps = describeGaps(tree);
  const linked = linkedTraces(tree).map((traceId) => `  npx mesh trace ${printable(traceId)}`);
  return [
    renderTrace(tree, { width }),
    '',
    renderSummary(tree, { width }),
    ...(linked.length > 0 ? ['', 'Linked traces:', ...linked] : []),
    ...(gaps === '' ? [] : ['', `${gaps}; what is on its way shows when you ask again`]),
  ].join('\n');
}
