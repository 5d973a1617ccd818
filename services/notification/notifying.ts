import type { Transaction } from '#database';
import { type Clock, newId, type Random } from '#kit';

import { CATEGORY_OF, type Kind, type Words } from './domain.ts';
import { adoptParked, writeNotices } from './notice-store.ts';
import { learnOwners } from './order-owners.ts';

/** What a user is told. */
export interface Occasion {
  readonly eventId: string;
  readonly kind: Kind;
  readonly orderId: string;
  /** Undefined when the event does not say whose order it is. */
  readonly userId: string | undefined;
  readonly words: Words;
  /** Of the span that the mail's belongs under. */
  readonly traceParent: string | undefined;
}

export interface Notifier {
  /** Whether there is a way to send mail. */
  readonly isMailed: boolean;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Writes what users are told of events, once, at most 100 at a time: two statements for all of them. An event that does
 * not say whose order it is may come before the one that does, for they travel apart: then the notification is parked, and
 * the first event that says so takes it out, in two statements more. What one event of the group says, all of it know.
 *
 * Locks are taken in the order orders, users, and each sorted.
 */
export async function notifyAll(tx: Transaction, { isMailed, clock, random }: Notifier, occasions: readonly Occasion[]): Promise<void> {
  const { owners, settled } = await learnOwners(tx, whatIsSaid(occasions));
  // Ids of one millisecond are in no order, and users and parked notifications are listed by them.
  const ids = occasions.map(() => newId(clock, random)).sort();
  const notices = occasions.map((occasion, index) => ({
    ...occasion,
    notificationId: ids[index] ?? '',
    category: CATEGORY_OF[occasion.kind],
    userId: owners.get(occasion.orderId),
  }));
  await writeNotices(tx, notices, isMailed);
  if (settled.length === 0) return;
  await adoptParked(tx, new Map([...owners].filter(([orderId]) => settled.includes(orderId))), isMailed);
}

/** Whose the orders are, by what the events say; the first one counts. */
function whatIsSaid(occasions: readonly Occasion[]): Map<string, string | undefined> {
  const said = new Map<string, string | undefined>();
  for (const { orderId, userId } of occasions) said.set(orderId, said.get(orderId) ?? userId);
  return said;
}
