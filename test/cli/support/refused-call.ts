/** A call that must be refused, and how. */
export interface RefusedCall {
  readonly what: string;
  /** Made anew for each call. */
  readonly args: () => readonly string[];
  readonly code: string;
  /** Default: the code. */
  readonly reason?: string;
  readonly says: RegExp;
  /** The field that is at fault. */
  readonly field?: string;
}
