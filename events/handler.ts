import { type DescMessage, fromJson, type MessageShape } from '@bufbuild/protobuf';
import { context } from '@opentelemetry/api';

import type { Transaction } from '#database';
import { type MeshError, refusal } from '#kit';

import type { Event } from './event.ts';

/** Writes the effects of several events, at most 100, in the order of these, in their transaction. */
export type WriteEffects<Effect> = (tx: Transaction, effects: readonly Effect[]) => Promise<void>;

/** What an event is to bring about, and who writes it: of what type it is, only the writer knows. */
export interface EventEffect {
  readonly effect: unknown;
  readonly write: WriteEffects<unknown>;
}

/** What a consumer does about events of one type. */
export interface EventHandler {
  /** Full name of the contract. */
  readonly type: string;
  /** Reads an event, before the transaction of its effect has begun. EVENT_UNREADABLE. */
  readonly read: (event: Event) => EventEffect;
}

/**
 * A handler of the events of a contract. It writes the effect with `tx` and does nothing else: it may be run again, and
 * only what is written there happens once. What it throws decides: outages are waited for, and so is, for a while, {@link notYet};
 * anything else is tried again some times, and then the event is a dead letter.
 *
 * Events that come together share a transaction, in which they are handled one after another: a row that one of them has
 * changed stays locked until all are committed. Where events of different subjects change the same rows, and where there
 * are many, {@link onTogether} is for them.
 */
export function on<M extends DescMessage>(contract: M, handle: (tx: Transaction, message: MessageShape<M>, event: Event) => Promise<void>): EventHandler {
  const runOf = (message: MessageShape<M>, event: Event): Run => context.bind(context.active(), (tx) => handle(tx, message, event));
  return onTogether(contract, runOf, runOneByOne);
}

/**
 * A handler of the events of a contract that come together. `effectOf` says what an event is to bring about, in the span of
 * its consumption and before the transaction. `write` writes that of all of them, under the rules of {@link on}: effects
 * of several contracts with the same writer go to it together. It takes rows in an order that is always the same, so that two
 * instances never wait for each other in a circle, and is right for one: when it throws, each event is tried by itself.
 */
export function onTogether<M extends DescMessage, Effect>(
  contract: M,
  effectOf: (message: MessageShape<M>, event: Event) => Effect,
  write: WriteEffects<Effect>,
): EventHandler {
  // Effects go to the writer they came with, so that it gets none but those of its type.
  const writeOwn = write as WriteEffects<unknown>;
  return {
    type: contract.typeName,
    read: (event) => ({ effect: effectOf(readMessage(contract, event), event), write: writeOwn }),
  };
}

type Run = (tx: Transaction) => Promise<void>;

async function runOneByOne(tx: Transaction, runs: readonly Run[]): Promise<void> {
  for (const run of runs) await run(tx);
}

/** Fields that this version of the contract does not know come from a newer one, and are passed over. */
function readMessage<M extends DescMessage>(contract: M, { id, data }: Event): MessageShape<M> {
  try {
    return fromJson(contract, data, { ignoreUnknownFields: true });
  } catch (cause) {
    const sentence = `event ${id} is not what ${contract.typeName} says; mend the consumer and replay it, or discard it`;
    throw refusal('EVENT_UNREADABLE', sentence, { cause });
  }
}

/** What a handler throws that lacks something another event must bring first: this one waits for it. */
export function notYet(sentence: string): MeshError {
  return refusal('EVENT_TOO_EARLY', sentence);
}
