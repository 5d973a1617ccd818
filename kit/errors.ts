import { inspect } from 'node:util';

import type { Code } from './codes.ts';
import { REASONS, type Reason } from './reasons.ts';

/** One field of a request that was refused, as in `google.rpc.BadRequest`. */
export interface FieldViolation {
  /** Path from the request, such as `lines[0].quantity`. */
  readonly field: string;
  readonly description: string;
}

/** What the side that answered says of sending the same call again. */
export type RetryHint =
  /** Nothing was done: any call may go out again, best to another instance, after so long. */
  | { readonly kind: 'not-started'; readonly afterMs: number }
  /** A call that may be made twice may go out again after so long. */
  | { readonly kind: 'after'; readonly afterMs: number }
  /** It has been tried often enough further down: whoever hears of it does not try again by itself. */
  | { readonly kind: 'never' };

/** Who answered a call that failed. */
export interface AnsweredBy {
  /** The service that was called. */
  readonly service: string;
  /** Which instance of it; undefined when none was reached, or none was told apart. */
  readonly instance: string | undefined;
}

/** A `google.protobuf.Any` that this runtime has no use for itself, such as one from a foreign server. */
export interface ForeignDetail {
  readonly typeUrl: string;
  readonly value: Uint8Array;
}

export interface ErrorDetails {
  /** Facts a program can read; never secrets. Travels in `google.rpc.ErrorInfo`. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly violations?: readonly FieldViolation[];
  readonly retry?: RetryHint | undefined;
  /** Set by a stub, on every error that it throws. */
  readonly answeredBy?: AnsweredBy | undefined;
  readonly foreign?: readonly ForeignDetail[];
  /** What went wrong below. Logged here, never sent to a caller. */
  readonly cause?: unknown;
}

/**
 * The one error class. `code` is the gRPC status code, `reason` is what a program
 * branches on, `message` is a sentence that tells the caller what to do.
 */
export class MeshError extends Error {
  override readonly name = 'MeshError';
  readonly code: Code;
  readonly reason: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly violations: readonly FieldViolation[];
  readonly retry: RetryHint | undefined;
  readonly answeredBy: AnsweredBy | undefined;
  readonly foreign: readonly ForeignDetail[];

  constructor(code: Code, reason: string, message: string, details: ErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.code = code;
    this.reason = reason;
    this.metadata = details.metadata ?? {};
    this.violations = details.violations ?? [];
    this.retry = details.retry;
    this.answeredBy = details.answeredBy;
    this.foreign = details.foreign ?? [];
  }

  /** Any thrown value as a MeshError: what is not one already is INTERNAL, with the original as its cause. */
  static from(thrown: unknown): MeshError {
    if (thrown instanceof MeshError) return thrown;
    // A log shows a cause only when it is an Error.
    const cause = thrown instanceof Error ? thrown : new Error(`thrown was ${inspect(thrown)}`);
    return refusal('INTERNAL', 'something went wrong inside; the log of the service has the cause', { cause });
  }
}

/** A MeshError with a reason of ours; its code comes from the catalogue. */
export function refusal(reason: Reason, message: string, details?: ErrorDetails): MeshError {
  return new MeshError(REASONS[reason], reason, message, details);
}

/** The `code` of a Node system error such as `ECONNREFUSED`, or a Postgres SQLSTATE; else undefined. */
export function errorCode(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}
