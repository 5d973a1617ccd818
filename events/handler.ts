import { type DescMessage, fromJson, type MessageShape } from '@bufbuild/protobuf';

import type { Transaction } from '#database';
import { type MeshError, refusal } from '#kit';

import type { Event } from './event.ts';

/** What a consumer does about events of one type. */
export interface EventHandler {
  /** Full name of the contract. */
  readonly type: string;
  /** Reads the event and returns what writes its effect. EVENT_UNREADABLE. */
  readonly read: (event: Event) => (tx: Transaction) => Promise<void>;
}

/**
 * A handler of the events of a contract. It writes the effect with `tx` and does nothing else: it may be run again, and
 * only what is written there happens once. What it throws decides: outages are waited for, and so is, for a while, {@link notYet};
 * anything else is tried again some times, and then the event is a dead letter.
 */
export function on<M extends DescMessage>(contract: M, handle: (tx: Transaction, message: MessageShape<M>, event: Event) => Promise<void>): EventHandler {
  return {
    type: contract.typeName,
    read(event) {
      const message = readMessage(contract, event);
      return (tx) => handle(tx, message, event);
    },
  };
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
