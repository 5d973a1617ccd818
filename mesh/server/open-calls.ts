import type { MeshError } from '#kit';
import { Health } from '#proto/grpc/health/v1/health_pb.js';
import { InstanceService } from '#proto/mesh/v1/instance_pb.js';

import type { Method } from '../method.ts';
import { Occasion } from './occasion.ts';

/** Contracts that are asked all the time by nobody's order: their calls do not show that a server is still in use. */
const BACKGROUND: ReadonlySet<string> = new Set([Health.typeName, InstanceService.typeName]);

function isBackground({ desc }: Method): boolean {
  return BACKGROUND.has(desc.parent.typeName);
}

/** What can be ended before it ends by itself. */
export interface OpenCall {
  end(reason: MeshError): void;
}

/** Whether a call would not end by itself soon. A health watch tells its reader and ends. */
function isLasting(method: Method): boolean {
  return method.desc.methodKind !== 'unary' && !isBackground(method);
}

/** The calls that came to a server and are not through, to the last byte of their answers. Adding and taking away cost one entry of a map. */
export class OpenCalls {
  readonly #calls = new Map<OpenCall, Method>();
  readonly #empty = new Occasion();
  #arrivals = 0;
  #streamsEnd: MeshError | undefined;

  get size(): number {
    return this.#calls.size;
  }

  /** How many calls came so far; health and the like are not counted. */
  get arrivals(): number {
    return this.#arrivals;
  }

  add(call: OpenCall, method: Method): void {
    this.#calls.set(call, method);
    if (!isBackground(method)) this.#arrivals += 1;
    if (this.#streamsEnd && isLasting(method)) call.end(this.#streamsEnd);
  }

  /** A call is over; a second time is harmless. */
  delete(call: OpenCall): void {
    this.#calls.delete(call);
    if (this.#calls.size === 0) this.#empty.come();
  }

  /** Ends the calls that would not end by themselves soon, streams, and those that come yet. Returns how many there were. */
  endStreams(reason: MeshError): number {
    this.#streamsEnd = reason;
    return this.#end(reason, isLasting);
  }

  endAll(reason: MeshError): number {
    return this.#end(reason, () => true);
  }

  /** Resolves once no call is open, at once when none is; also when the signal aborts. */
  whenEmpty(signal: AbortSignal): Promise<void> {
    return this.#calls.size === 0 ? Promise.resolve() : this.#empty.wait(signal);
  }

  #end(reason: MeshError, which: (method: Method) => boolean): number {
    let ended = 0;
    for (const [call, method] of this.#calls) {
      if (!which(method)) continue;
      ended += 1;
      call.end(reason);
    }
    return ended;
  }
}
