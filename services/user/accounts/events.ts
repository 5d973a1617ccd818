import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf';

import { type Event, newEvent } from '#events';
import { type Clock, newId, type Random } from '#kit';
import { AccountDeletedSchema, EmailVerificationRequestedSchema } from '#proto/shop/user/v1/user_events_pb.js';

import type { Verification } from './domain.ts';

// Published: mails that are due, and accounts that are gone. Consumed: nothing.

export interface EventSource {
  readonly clock: Clock;
  readonly random: Random;
}

/** The event that has a mail sent. It names the verification and nothing that is secret. */
export function verificationRequested(source: EventSource, { verificationId, userId }: Verification): Event {
  return eventOf(source, userId, EmailVerificationRequestedSchema, { verificationId, userId });
}

export function accountDeleted(source: EventSource, userId: string): Event {
  return eventOf(source, userId, AccountDeletedSchema, { userId });
}

function eventOf<M extends DescMessage>({ clock, random }: EventSource, subject: string, contract: M, message: MessageInitShape<M>): Event {
  return newEvent(contract, message, { id: newId(clock, random), source: 'user', subject, time: new Date(clock.now()) });
}
