import { create } from '@bufbuild/protobuf';

import { silentLog, systemClock } from '#kit';
import { createIntentionGuard, createIntentions, describeMethod, type IntentionGuard, type Invoke, type ServerCall } from '#mesh';
import { GetOrderResponseSchema, OrderService } from '#proto/shop/order/v1/order_pb.js';

import { answerParent } from '../rpc/parent.ts';
import { holdIntentions } from './held-intentions.ts';
import { callerNames, DESTINATION, intentionOf, type Level, madeUpIntentions, nameOf } from './made-up-intentions.ts';
import { receivedCall } from './received-call.ts';

/** Whose intentions a check goes by; undefined: nobody checks. */
export type Ruled = { readonly level: Level; readonly intentions: number } | undefined;

export interface ChecksAsked {
  readonly ruled?: Ruled;
  readonly calls: number;
}

export interface ChangeAsked {
  readonly intentions: number;
  readonly streams: number;
}

/** In ms. */
export interface ChangeTook {
  /** 1,000 intentions made ready to be asked. */
  readonly compiledMs: number;
  /** A change put to all open streams, of which it ends none. */
  readonly keptMs: number;
  /** One that ends every hundredth. */
  readonly endedMs: number;
}

const getOrder = describeMethod(OrderService.method.getOrder);
const watchOrder = describeMethod(OrderService.method.watchOrder);
const answer = create(GetOrderResponseSchema);
const serveNothing: Invoke<ServerCall> = async () => answer;
const calls = callerNames().map((name) => receivedCall(getOrder, name));

function guardBy(intentions: ReturnType<typeof holdIntentions>): IntentionGuard {
  return createIntentionGuard({ intentions: intentions.store, defaultAction: 'deny', permissive: false, clock: systemClock, log: silentLog });
}

/** As in a service, which keeps them: what is made anew is moved about in memory while it is measured. */
const guarded = new Map<string, Promise<Invoke<ServerCall>>>();

async function serveBy({ intentions, level }: NonNullable<Ruled>): Promise<Invoke<ServerCall>> {
  const guard = guardBy(holdIntentions(madeUpIntentions(intentions, level, getOrder.path)));
  const serve = guard.link(getOrder, DESTINATION)(serveNothing);
  await guard.ready(DESTINATION);
  return serve;
}

function serving(ruled: Ruled): Promise<Invoke<ServerCall>> {
  if (!ruled) return Promise.resolve(serveNothing);
  const key = `${ruled.level} ${ruled.intentions}`;
  const known = guarded.get(key) ?? serveBy(ruled);
  guarded.set(key, known);
  return known;
}

/** Us a call takes through the guard; one that is refused ends the measurement. */
async function checks({ ruled, calls: count }: ChecksAsked): Promise<number> {
  const serve = await serving(ruled);
  const began = performance.now();
  for (let done = 0; done < count; done += calls.length) for (const call of calls) await serve(call);
  return ((performance.now() - began) * 1_000) / count;
}

async function change({ intentions: count, streams }: ChangeAsked): Promise<ChangeTook> {
  const known = madeUpIntentions(count, 'L4', watchOrder.path);
  const began = performance.now();
  createIntentions(known, 'deny');
  const compiledMs = performance.now() - began;
  const held = holdIntentions(known);
  const guard = guardBy(held);
  await guard.ready(DESTINATION);
  // A stream that is ended rejects.
  const serve = guard.link(watchOrder, DESTINATION)(() => new Promise(() => undefined));
  for (let open = 0; open < streams; open += 1) serve(receivedCall(watchOrder, nameOf(open % 100))).catch(() => undefined);
  const denied = nameOf(7);
  const keptMs = put([...known]);
  const endedMs = put(known.map((one) => (one.source === denied ? intentionOf(denied, { kind: 'action', action: 'deny' }) : one)));
  const { endedStreams } = guard.read(DESTINATION);
  await guard.stop();
  if (endedStreams !== streams / 100) throw new Error(`the change ended ${endedStreams} of ${streams} streams: this is no measurement`);
  return { compiledMs, keptMs, endedMs };

  function put(intentions: typeof known): number {
    const putAt = performance.now();
    held.put(intentions);
    return performance.now() - putAt;
  }
}

answerParent({}, { checks, change });
