import { type DocumentKind, parseTarget, targetText } from '#mesh';

import { requireTarget } from './require-target.ts';
import type { Documents } from './with-documents.ts';

/**
 * Deletes a target's document, also one that stands under a name that is none any more. Where there is none, the name
 * has to be a target's, else it is a slip: UNKNOWN_SERVICE or UNKNOWN_METHOD, with a guess.
 */
export async function deleteDocument(documents: Documents, kind: DocumentKind, text: string): Promise<{ readonly target: string; readonly deleted: boolean }> {
  const written = targetText(parseTarget(text));
  if (await documents.delete(kind, written)) return { target: written, deleted: true };
  const target = targetText(await requireTarget(text));
  return { target, deleted: target !== written && (await documents.delete(kind, target)) };
}
