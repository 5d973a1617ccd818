import { MeshError, refusal } from '#kit';
import { type PolicyDocument, readPolicySettings, targetText } from '#mesh';

import { requireTarget } from './require-target.ts';

/** The setting MESH_POLICY, held against the contracts as `mesh policy set` holds a document: INVALID_SETTING with a guess, for a target that there is not would change nothing, without a word. */
export async function requirePolicySettings(setting: string): Promise<ReadonlyMap<string, PolicyDocument>> {
  const documents = readPolicySettings(setting);
  for (const [target, document] of documents) {
    try {
      requireEffect(document);
      await requireSpelling(target);
    } catch (thrown) {
      throw refusal('INVALID_SETTING', `MESH_POLICY: ${target}: ${MeshError.from(thrown).message}`, { cause: thrown });
    }
  }
  return documents;
}

/** INVALID_ARGUMENT for a document without a single number. */
export function requireEffect({ parts }: PolicyDocument): void {
  const hasNumbers = Object.values(parts).some((fields) => Object.keys(fields).length > 0);
  if (!hasNumbers) throw refusal('INVALID_ARGUMENT', 'the document sets nothing; it is like {"retries": {"maxAttempts": 5}}');
}

/** A key is found by its very letters; one that a person types into a command need not be. */
async function requireSpelling(target: string): Promise<void> {
  const known = targetText(await requireTarget(target));
  if (known !== target) throw refusal('INVALID_ARGUMENT', `write it ${known}`);
}
