import type { MeshError } from '#kit';
import { Health } from '#proto/grpc/health/v1/health_pb.js';
import { InstanceService } from '#proto/mesh/v1/instance_pb.js';

import type { Lifetime } from '../lifetime.ts';
import type { Method } from '../method.ts';
import { Occasion } from './door/occasion.ts';

/** Contracts that are asked all the time by nobody's order: their calls do not show that a server is still in use. */
const BACKGROUND: ReadonlySet<string> = new Set([Health.typeName, InstanceService.typeName]);

function isBackground({ desc }: Method): boolean {
  return BACKGROUND.has(desc.parent.typeName);
}

/** The calls that a server is serving. Adding and taking away cost one entry of a map. */
export class OpenCalls {
  readonly #calls = new Map<Lifetime, Method>();
  readonly #empty = new Occasion();
  #arrivals = 0;

  get size(): number {
    return this.#calls.size;
  }

  /** How many calls came so far; health and the like are not counted. */
  get arrivals(): number {
    return this.#arrivals;
  }

  add(lifetime: Lifetime, method: Method): void {
    this.#calls.set(lifetime, method);
    if (!isBackground(method)) this.#arrivals += 1;
  }

  /** A call is over; a second time is harmless. */
  delete(lifetime: Lifetime): void {
    this.#calls.delete(lifetime);
    if (this.#calls.size === 0) this.#empty.come();
  }

  /** Ends the calls that would not end by themselves soon: streams. A health watch tells its reader and ends. Returns how many. */
  endStreams(reason: MeshError): number {
    return this.#end(reason, (method) => method.desc.methodKind !== 'unary' && !isBackground(method));
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
    for (const [lifetime, method] of this.#calls) {
      if (!which(method)) continue;
      ended += 1;
      lifetime.end(reason);
    }
    return ended;
  }
}
