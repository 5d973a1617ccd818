import type { Event } from './event.ts';

/** Points at which a test may stop, fail or kill the process, and guards that it may switch off to see what they are for. */
export interface EventHooks {
  /** The relay has read these from the outbox. */
  beforePublish?(events: readonly Event[]): Promise<void> | void;
  /** The bus has them, the outbox does not know yet. */
  afterPublish?(events: readonly Event[]): Promise<void> | void;
  /** The consumer has got it from the bus. */
  beforeDeliver?(event: Event): Promise<void> | void;
  /** Its handler has run, nothing is committed. */
  afterDeliver?(event: Event): Promise<void> | void;
  /** Its effect is committed, the bus does not know yet. */
  afterCommit?(event: Event): Promise<void> | void;
  /** Without it an event that is delivered twice has its effect twice. */
  readonly withoutInbox?: boolean;
}
