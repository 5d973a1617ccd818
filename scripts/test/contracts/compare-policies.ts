import { createFileRegistry, type DescMethod, fromBinary, getOption, hasOption } from '@bufbuild/protobuf';
import { type Duration, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { type Access, method as methodPolicy, Repeat } from '#proto/mesh/v1/options_pb.js';
import { judgeAccess } from './compare-access.ts';

type Policy = { readonly deadlineMs: number | undefined; readonly idempotencyKey: string; readonly repeat: Repeat; readonly access: Access | undefined };

/**
 * Changes of the mesh options that break callers, or let more of them in, a sentence each. `buf breaking`
 * looks at names, numbers and types only, while callers also rely on how long a method may take, on what
 * they may send again and on being let in. Takes two buf images.
 */
export function comparePolicies(before: Uint8Array, after: Uint8Array): string[] {
  const now = readPolicies(after);
  return [...readPolicies(before)].flatMap(([name, policy]) => {
    const changed = now.get(name);
    // A method that is gone is the business of `buf breaking`.
    return changed === undefined ? [] : judge(policy, changed).map((sentence) => `${name}: ${sentence}`);
  });
}

function judge(before: Policy, after: Policy): string[] {
  return [
    ...judgeDeadline(before.deadlineMs, after.deadlineMs),
    ...judgeKey(before.idempotencyKey, after.idempotencyKey),
    ...judgeRepeat(before.repeat, after.repeat),
    ...judgeAccess(before.access, after.access),
  ];
}

function judgeDeadline(before: number | undefined, after: number | undefined): string[] {
  if (before === after) return [];
  if (after === undefined) return [`the deadline of ${before} ms is gone: callers without one of their own would wait for ever`];
  if (before === undefined) return [`a deadline of ${after} ms is new: calls that take longer would fail`];
  return after < before ? [`the deadline shrank from ${before} ms to ${after} ms: calls in between would fail`] : [];
}

function judgeKey(before: string, after: string): string[] {
  if (before === '' || before === after) return [];
  if (after === '') return [`the idempotency key ${before} is gone: callers that send again would do the work twice`];
  return [`the idempotency key changed from ${before} to ${after}: callers that send again keep to ${before}`];
}

function judgeRepeat(before: Repeat, after: Repeat): string[] {
  if (before === Repeat.UNSPECIFIED || before === after) return [];
  return [`a repeat was answered with ${Repeat[before]} and is now with ${Repeat[after]}: callers that send again rely on it`];
}

function readPolicies(image: Uint8Array): Map<string, Policy> {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, image));
  const policies = new Map<string, Policy>();
  for (const file of registry.files) {
    for (const service of file.services) {
      for (const method of service.methods) policies.set(`${service.typeName}/${method.name}`, policyOf(method));
    }
  }
  return policies;
}

function policyOf(method: DescMethod): Policy {
  if (!hasOption(method, methodPolicy)) return { deadlineMs: undefined, idempotencyKey: '', repeat: Repeat.UNSPECIFIED, access: undefined };
  const { deadline, idempotencyKey, repeat, access } = getOption(method, methodPolicy);
  return { deadlineMs: deadline === undefined ? undefined : milliseconds(deadline), idempotencyKey, repeat, access };
}

function milliseconds({ seconds, nanos }: Duration): number {
  return Number(seconds) * 1000 + nanos / 1e6;
}
