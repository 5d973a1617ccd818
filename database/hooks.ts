/**
 * Points at which a test may stop, fail or kill the process. Not for services:
 * their work belongs into the transaction. A statement outside of one is a transaction
 * of its own, under its own name.
 */
export interface DatabaseHooks {
  /** All statements have run, nothing is committed. Throwing rolls back. */
  beforeCommit?(name: string): Promise<void> | void;
  /** It is committed, the caller does not know yet. */
  afterCommit?(name: string): Promise<void> | void;
}
