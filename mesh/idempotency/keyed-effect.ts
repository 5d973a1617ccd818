import { create, type DescMessage, type Message, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { trace } from '@opentelemetry/api';

import { type Clock, type MeshError, refusal } from '#kit';

import type { ServerCall } from '../call.ts';
import { ANY_CALLER } from './caller.ts';
import type { ResourceClaim } from './claim-resources.ts';
import type { Effect } from './effect.ts';
import { hashOf } from './request-hash.ts';
import type { EffectTransaction, FirstRequest, IdempotencyStore, KeyedRequest } from './store.ts';

/** On the span of a call whose effect another call with its key has had. */
const REPEAT_ATTRIBUTE = 'mesh.idempotency.repeat';

/** How long a key stays claimed for an answer that has not come by its call's deadline: what was on its way then may still be. */
const HOLD_MARGIN_MS = 1_000;

/** A caller may allow a call days: its key is free for a repeat earlier. */
const MAX_HOLD_MS = 300_000;

type State = { readonly kind: 'free' } | { readonly kind: 'held'; readonly hold: bigint } | { readonly kind: 'taken'; readonly first: FirstRequest };

const FREE: State = { kind: 'free' };

/** The effect of one call. Nothing is computed before the handler asks for it. */
export class KeyedEffect implements Effect {
  readonly #call: ServerCall;
  readonly #key: string;
  readonly #store: IdempotencyStore | undefined;
  readonly #clock: Clock;
  #request: Message;
  #keyed: KeyedRequest | undefined;
  #state: State = FREE;

  constructor(call: ServerCall, request: Message, key: string, store: IdempotencyStore | undefined, clock: Clock) {
    this.#call = call;
    this.#request = request;
    this.#key = key;
    this.#store = store;
    this.#clock = clock;
  }

  /** What the handler met when it began: the claim of another call, whose answer is to be this one's. */
  get first(): FirstRequest | undefined {
    return this.#state.kind === 'taken' ? this.#state.first : undefined;
  }

  readAs(request: Message): void {
    this.#request = request;
    this.#keyed = undefined;
  }

  /** Before the handler runs, also when it runs again. */
  renew(): void {
    this.#state = FREE;
  }

  claimOf(resourceId: string): ResourceClaim {
    return {
      store: this.#requireStore(),
      request: this.#keyedRequest(),
      resourceId,
      leftMs: () => this.#leftMs(),
      resourceOf: (first) => this.#resourceOf(this.#requireSame(first)),
    };
  }

  async findResource(): Promise<string | undefined> {
    const first = await this.find();
    return first && this.#resourceOf(first);
  }

  async leaveIfTaken(): Promise<void> {
    const first = await this.find();
    // Nobody is at work on it any more: this call may take it over.
    if (first && !first.answer && !first.isHeld && first.resourceId === '') return;
    if (first) this.#leave(first);
  }

  async begin(tx: EffectTransaction): Promise<void> {
    // Postgres may have broken off the transaction that claimed it before.
    this.renew();
    const leftMs = this.#leftMs();
    const claim = await this.#requireStore().claim(tx, this.#keyedRequest(), Math.min(MAX_HOLD_MS, leftMs) + HOLD_MARGIN_MS, leftMs);
    if (!claim.claimed) this.#leave(this.#requireSame(claim.first));
    this.#state = { kind: 'held', hold: claim.hold };
  }

  async conclude(tx: EffectTransaction, answer: object): Promise<void> {
    const { output } = this.#call.method.desc;
    if (this.#state.kind !== 'held') throw new Error(`${this.#call.method.fullName} has an answer to store and has claimed no key for it`);
    // What a handler returns for this method, as the handler's type sees to.
    const bytes = toBinary(output, create(output, answer as MessageInitShape<DescMessage>));
    if (await this.#requireStore().conclude(tx, this.#keyedRequest(), this.#state.hold, bytes)) return;
    throw refusal('DEADLINE_EXCEEDED', 'this call took longer than its deadline, and a repeat of it has taken its key over; send the same request again');
  }

  /** What became of the first request with the key. IDEMPOTENCY_KEY_REUSED. */
  async find(): Promise<FirstRequest | undefined> {
    const first = await this.#requireStore().find(this.#keyedRequest());
    return first && this.#requireSame(first);
  }

  #leave(first: FirstRequest): never {
    if (first.resourceId !== '') throw this.#keptOtherwise();
    this.#state = { kind: 'taken', first };
    throw new Error(`${this.#call.method.fullName}: the key is taken; its repeat is answered without the handler`);
  }

  #resourceOf({ resourceId }: FirstRequest): string {
    if (resourceId === '') throw this.#keptOtherwise();
    return resourceId;
  }

  /** Its contract has said something else about repeats when the first request came. That one had its effect, and must not have it again. */
  #keptOtherwise(): MeshError {
    const how = 'what it answered was not kept in the way that this version keeps it; read what it made instead of sending it again';
    return refusal('IDEMPOTENCY_ANSWER_GONE', `an older version of ${this.#call.method.fullName} has carried this request out, and ${how}`);
  }

  #requireSame(first: FirstRequest): FirstRequest {
    if (first.sameRequest) {
      trace.getSpan(this.#call.context)?.setAttribute(REPEAT_ATTRIBUTE, true);
      return first;
    }
    const { desc } = this.#call.method;
    const field = desc.input.fields.find(({ localName }) => localName === this.#call.method.keyField)?.name;
    throw refusal('IDEMPOTENCY_KEY_REUSED', `${field} ${this.#key} was used for another ${desc.name}; choose a new one for each request`);
  }

  #keyedRequest(): KeyedRequest {
    const { method } = this.#call;
    return (this.#keyed ??= { method: method.fullName, caller: ANY_CALLER, key: this.#key, requestHash: hashOf(method, this.#request) });
  }

  #requireStore(): IdempotencyStore {
    if (this.#store) return this.#store;
    throw refusal('INTERNAL', `${this.#call.method.fullName} keeps its idempotency keys in a store, and its service is hosted without one`);
  }

  #leftMs(): number {
    return Math.max(1, this.#call.deadline - this.#clock.now());
  }
}
