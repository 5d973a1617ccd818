/** Where a saga is about to do something. */
export interface SagaPoint {
  /** Name of the definition. */
  readonly definition: string;
  /** Name of the step; `end` where only the end is left to be written. */
  readonly step: string;
  readonly compensating: boolean;
}

/** Points at which a test may stop, fail or kill the process, and guards that it may switch off to see what they prevent. */
export interface SagaHooks {
  beforeStep?(point: SagaPoint): Promise<void> | void;
  /** The step took effect, the saga does not know yet. */
  afterStep?(point: SagaPoint): Promise<void> | void;
  /** It is about to be written down where the saga stands; the point is where it stood. */
  beforeRecord?(point: SagaPoint): Promise<void> | void;
  afterRecord?(point: SagaPoint): Promise<void> | void;
  /** Lets a process write a saga that another one has taken over. */
  readonly withoutFence?: boolean;
}
