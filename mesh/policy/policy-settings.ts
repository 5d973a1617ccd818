import { MeshError, refusal } from '#kit';

import { type PolicyDocument, readPolicyDocument } from './policy-document.ts';
import { readJsonObject, requireObject } from './read-document.ts';
import { parseTarget } from './target.ts';

const FORM = 'write it like {"*": {"hedging": {"enabled": false}}, "order.PlaceOrder": {"retries": {"maxAttempts": 2}}}';

/** The setting MESH_POLICY: documents by target. Empty: none. INVALID_SETTING naming the target and field at fault, and the form. */
export function readPolicySettings(setting: string): ReadonlyMap<string, PolicyDocument> {
  if (setting.trim() === '') return new Map();
  const targets = explained('', () => readJsonObject(setting));
  return new Map(Object.entries(targets).map(([target, json]) => [target, explained(`${target}: `, () => readOne(target, json))]));
}

/** Whoever sets the environment owns it. */
function readOne(target: string, json: unknown): PolicyDocument {
  return readPolicyDocument(parseTarget(target), { owner: 'MESH_POLICY', ...requireObject(json) });
}

function explained<T>(where: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw refusal('INVALID_SETTING', `MESH_POLICY: ${where}${MeshError.from(cause).message}; ${FORM}`, { cause });
  }
}
