/** A service that is called, its instances, and what was sent to it again. */
export interface CalledService {
  readonly service: string;
  readonly open: boolean;
  readonly inFlight: number;
  readonly endpoints: readonly CalledInstance[];
  readonly retries: number;
  readonly hedges: number;
  readonly refusedByBudget: number;
}

export interface CalledInstance {
  /** As registered. */
  readonly id: string;
  readonly state: CalledInstanceState;
  readonly inFlight: number;
  readonly calls: number;
  readonly failures: number;
  readonly ejections: number;
}

export type CalledInstanceState = 'healthy' | 'slow-start' | 'ejected' | 'probing';
