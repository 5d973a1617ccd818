import type { MeshError, Stoppable } from '#kit';

/** Stands for every service, as source or as destination. */
export const ANY_SERVICE = '*';

export type IntentionAction = 'allow' | 'deny';

/**
 * Says whether one service may call another
 * (https://developer.hashicorp.com/consul/docs/connect/config-entries/service-intentions).
 */
export interface Intention {
  /** The service that calls, or {@link ANY_SERVICE}. */
  readonly source: string;
  /** The service that is called, or {@link ANY_SERVICE}. */
  readonly destination: string;
  readonly rule: IntentionRule;
  /** For people; empty when there is none. */
  readonly description: string;
  /** Of the intentions that fit a call the one with the highest decides; see {@link precedenceOf}. */
  readonly precedence: number;
  /** Changes with each write of an intention of this destination; give it to `set` or `delete` to change only what was read. */
  readonly index: number;
  /** Where the source is when it is not in this mesh, such as `peer east`: then it says nothing about callers from here. */
  readonly elsewhere?: string;
}

export type IntentionRule =
  /** Layer 4: every call. */
  | { readonly kind: 'action'; readonly action: IntentionAction }
  /** Layer 7: the first permission that fits the call decides; the default action where none does. */
  | { readonly kind: 'permissions'; readonly permissions: readonly IntentionPermission[] }
  /** It asks for what this mesh cannot judge, such as a JWT: it denies. */
  | { readonly kind: 'unusable'; readonly problem: string };

/** Fits a call that has the path, one of the methods and all of the headers. */
export interface IntentionPermission {
  readonly action: IntentionAction;
  /** undefined: every path. */
  readonly path: PathMatch | undefined;
  /** Upper-case HTTP methods; empty: every one. gRPC calls are POST. */
  readonly methods: readonly string[];
  readonly headers: readonly HeaderMatch[];
}

/** A regex is RE2's and has to fit the whole text, here and in {@link HeaderMatch}. */
export interface PathMatch {
  readonly kind: 'exact' | 'prefix' | 'regex';
  readonly value: string;
}

export interface HeaderMatch {
  /** Lower-case, as gRPC has them. */
  readonly name: string;
  readonly kind: 'present' | 'exact' | 'prefix' | 'suffix' | 'contains' | 'regex';
  /** Empty for `present`. */
  readonly value: string;
  /** Not for `present` and `regex`. */
  readonly ignoreCase: boolean;
  /** Fits when the value does not. A call without the header fits only an inverted `present`. */
  readonly invert: boolean;
}

/** An intention as somebody wants it. */
export interface WantedIntention extends Pick<Intention, 'source' | 'destination' | 'description'> {
  readonly rule: Exclude<IntentionRule, { readonly kind: 'unusable' }>;
}

/** As `InstanceListener`, for the intentions that may decide about calls of a service. */
export interface IntentionListener {
  /** Strongest first. An empty list is certain: there is none, and the default action holds. */
  onIntentions(intentions: readonly Intention[]): void;
  onError(error: MeshError): void;
}

export interface IntentionStore {
  /** Watches what may decide about calls of `destination`, wildcards included. Listeners of one destination share one watch. */
  watch(destination: string, listener: IntentionListener): Stoppable;
  /** Every intention, strongest first. */
  list(signal?: AbortSignal): Promise<readonly Intention[]>;
  /**
   * Puts an intention in the place of the one with the same source and destination. With
   * `expectedIndex` only if the destination's intentions still have that index (0: only if it
   * has none); false says that they have not, and nothing was written.
   */
  set(intention: WantedIntention, expectedIndex?: number, signal?: AbortSignal): Promise<boolean>;
  /** Deletes one; what is not there counts as deleted. `expectedIndex` as in `set`. */
  delete(source: string, destination: string, expectedIndex?: number, signal?: AbortSignal): Promise<boolean>;
  /** What the control plane does where no intention decides; undefined where it does not say. */
  defaultAction(signal?: AbortSignal): Promise<IntentionAction | undefined>;
}

/**
 * How strong an intention is
 * (https://developer.hashicorp.com/consul/docs/connect/intentions#precedence-and-match-order):
 * 9 from one service to one, 8 from every one to one, 6 from one to every one, 5 from every
 * one to every one. What is between and below needs namespaces.
 */
export function precedenceOf({ source, destination }: Pick<Intention, 'source' | 'destination'>): number {
  return (destination === ANY_SERVICE ? 6 : 9) - (source === ANY_SERVICE ? 1 : 0);
}
