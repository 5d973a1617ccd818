/** A look at whether calls are as slow when half as many are at work. */
export interface Trial {
  /** `settling`: calls that began before it leave. `measuring`: only calls that began since count. */
  readonly kind: 'settling' | 'measuring';
  readonly sinceMs: number;
  /** Before the limit was halved. */
  readonly slowdown: number;
  /** The limit before it was halved for the first time. */
  readonly from: number;
  /** Twice what a queue would need to halve. */
  readonly settleMs: number;
  /** Whether the half is kept where the calls had queued; else the trial only looks for the usual latency. */
  readonly descends: boolean;
}
