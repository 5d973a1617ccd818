import type { Metadata, MetadataOptions } from '@grpc/grpc-js';

/** One try of a call, as whoever picks the instance for it sees it. */
export interface Attempt {
  /** 1 for the first. */
  readonly number: number;
  /** Ids of the instances that earlier attempts of the call went to: others are preferred. */
  readonly avoid: readonly string[];
  /** Whether messages stream in either direction: then it may last for as long as it likes. */
  readonly stream: boolean;
  /** Set by whoever picked: the id of the instance that the attempt goes to. */
  instance: string | undefined;
}

interface AttemptOptions extends MetadataOptions {
  readonly attempt: Attempt;
}

/**
 * The way from a call to the balancer that picks its instance: grpc-js copies a call's metadata several times on
 * the way, but hands on the same options object each time.
 */
export function attemptOptions(attempt: Attempt): MetadataOptions {
  const options: AttemptOptions = { attempt };
  return options;
}

/** The attempt that a call's metadata belongs to; undefined for a call that was not made by our client. */
export function attemptOf(metadata: Metadata): Attempt | undefined {
  const options: Partial<AttemptOptions> = metadata.getOptions();
  return options.attempt;
}
