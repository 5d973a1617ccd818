import { MeshError } from '#kit';
import { type OrderedFault, parseTarget, type PolicyDocument, readFaultDocument, readJsonObject, readPolicyDocument } from '#mesh';

import type { Documents } from './with-documents.ts';

/** A stored policy, or why it cannot be used. */
export interface StoredPolicy {
  readonly target: string;
  readonly text: string;
  /** See `Policy.index` of the control plane. */
  readonly index: number;
  readonly document?: PolicyDocument;
  readonly problem?: string;
}

export interface StoredFault {
  readonly target: string;
  readonly index: number;
  readonly fault: OrderedFault;
}

export async function readPolicies(documents: Documents): Promise<readonly StoredPolicy[]> {
  return [...(await documents.list('policy'))].map(([target, { value: text, index }]) => {
    try {
      return { target, text, index, document: readPolicyDocument(parseTarget(target), readJsonObject(text)) };
    } catch (thrown) {
      return { target, text, index, problem: MeshError.from(thrown).message };
    }
  });
}

/** What somebody else has written in another form is in force nowhere, and `mesh fault clear` removes it. */
export async function readFaults(documents: Documents, nowMs: number): Promise<readonly StoredFault[]> {
  return [...(await documents.list('fault'))].flatMap(([target, { value, index }]) => {
    try {
      return [{ target, index, fault: readFaultDocument(parseTarget(target), readJsonObject(value), nowMs) }];
    } catch (thrown) {
      if (MeshError.from(thrown).reason === 'INVALID_ARGUMENT') return [];
      throw thrown;
    }
  });
}
