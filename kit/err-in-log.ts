import { stdSerializers } from 'pino';

import { MeshError } from './errors.ts';
import type { Reason } from './reasons.ts';

/** From this level on a line is about something that should not be, and where it came from counts (pino's number of `error`). */
const ERROR_LEVEL = 50;
/** An error and what lies below it. */
const MAX_CAUSES = 8;

/** An error whose sentence says all. */
interface InWords {
  readonly type: string;
  readonly message: string;
  readonly cause?: InWords;
}

/**
 * What a line at `level` is to have as `err`: below `error`, a refusal that somebody foresaw is its sentence, reason, code
 * and metadata, and of its causes what they say. Everything else, INTERNAL above all, is told with its stacks.
 */
export function errInLog(err: unknown, level: number): unknown {
  return level < ERROR_LEVEL && isForeseen(err) ? inWords(err) : err;
}

/** What {@link errInLog} has put into words stays as it is. */
export function serializeErr(err: unknown): unknown {
  return err instanceof Error ? stdSerializers.errWithCause(err) : err;
}

function isForeseen(err: unknown): err is MeshError {
  return err instanceof MeshError && causesOf(err).every((each) => !(each instanceof MeshError) || each.reason !== ('INTERNAL' satisfies Reason));
}

/** The error itself, then the cause of each. Some make circles of them. */
function causesOf(err: Error): readonly Error[] {
  const found: Error[] = [];
  for (let at: unknown = err; at instanceof Error && found.length < MAX_CAUSES; at = at.cause) found.push(at);
  return found;
}

function inWords(err: MeshError): InWords {
  const said = causesOf(err).map((each): InWords => ({ type: each.name, message: each.message, ...(each instanceof MeshError && factsOf(each)) }));
  // `causesOf` has at least the error itself.
  return said.reduceRight((cause, each) => ({ ...each, cause }));
}

function factsOf({ code, reason, metadata, violations, answeredBy }: MeshError): object {
  return {
    ...{ code, reason },
    ...(Object.keys(metadata).length > 0 && { metadata }),
    ...(violations.length > 0 && { violations }),
    ...(answeredBy && { answeredBy }),
  };
}
