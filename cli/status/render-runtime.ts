import { faultInWords } from './fault-in-words.ts';
import { roughTime } from './rough-time.ts';
import type { EndpointFacts } from './runtime-facts.ts';
import type { ListedInstance } from './shop-status.ts';

/**
 * What the runtime does to calls beyond carrying them, a line each: faults that are ordered, services that are not called,
 * instances that are left out, calls that were turned away. Nothing where all is as usual.
 */
export function runtimeLines(instances: readonly ListedInstance[], nowMs: number): readonly string[] {
  const addresses = new Map(instances.map(({ id, address, port }) => [id, `${address}:${port}`]));
  const lines = [
    ...instances.flatMap((instance) => faultLines(instance, nowMs)),
    ...instances.flatMap((instance) => destinationLines(instance, addresses)),
    ...instances.flatMap(admissionLines),
  ];
  // The services of one process say the same of what it calls, and the instances of one service of its faults.
  return [...new Set(lines)];
}

function faultLines({ service, faults = [] }: ListedInstance, nowMs: number): string[] {
  return faults.map((fault) => `fault in ${service}${fault.method ? `.${fault.method}` : ''}: ${faultInWords(fault)}, for ${roughTime(fault.untilMs - nowMs)} more (${fault.owner})`);
}

function destinationLines({ process, service: own, address, port, destinations = [] }: ListedInstance, addresses: ReadonlyMap<string, string>): string[] {
  const caller = process ?? `${own} at ${address}:${port}`;
  return destinations.flatMap(({ service, open, endpoints }) => [
    ...(open ? [`${caller} does not call ${service} for now: no instance of it answered as it should`] : []),
    ...endpoints.flatMap((endpoint) => endpointLine(`${service} at ${addresses.get(endpoint.id) ?? endpoint.id}`, endpoint).map((line) => `${caller} ${line}`)),
  ]);
}

function endpointLine(where: string, { state, calls, failures }: EndpointFacts): string[] {
  const failed = `${failures} of ${calls} calls to it failed`;
  if (state === 'ejected') return [`leaves out ${where}: ${failed}`];
  return state === 'probing' ? [`tries ${where} again: ${failed}`] : [];
}

function admissionLines({ service, address, port, admission }: ListedInstance): string[] {
  if (!admission || (admission.shed === 0 && admission.queued === 0)) return [];
  const { shed, inFlight, limit, queued } = admission;
  return [`${service} at ${address}:${port} has turned ${shed} calls away; it works on ${inFlight} of at most ${limit} at once, ${queued} wait`];
}
