import { refusal } from './errors.ts';

/** Entries of a page when the caller names no size (https://google.aip.dev/158). */
const DEFAULT_PAGE_SIZE = 50;

/** Which part of a list is wanted. */
export interface PageRequest {
  readonly size: number;
  /** Key of the last entry of the page before; undefined for the first page. */
  readonly after: string | undefined;
}

/** Reads `page_size` and `page_token`. INVALID_PAGE_TOKEN for a token this service never gave out. */
export function readPage(pageSize: number, pageToken: string): PageRequest {
  const size = pageSize || DEFAULT_PAGE_SIZE;
  if (pageToken === '') return { size, after: undefined };
  const after = Buffer.from(pageToken, 'base64url').toString();
  if (!/^[a-z0-9-]{1,64}$/.test(after) || tokenAfter(after) !== pageToken) {
    throw refusal('INVALID_PAGE_TOKEN', 'page_token is not one this service gave out; start again without it', {
      violations: [{ field: 'page_token', description: 'must be the next_page_token of an earlier answer' }],
    });
  }
  return { size, after };
}

/** Cuts what a query for `size + 1` rows found to a page, and names the next one (empty: there is none). */
export function cutPage<Entry>(found: readonly Entry[], { size }: PageRequest, keyOf: (entry: Entry) => string): { entries: Entry[]; nextPageToken: string } {
  const entries = found.slice(0, size);
  const last = entries.at(-1);
  return { entries, nextPageToken: found.length > size && last ? tokenAfter(keyOf(last)) : '' };
}

function tokenAfter(key: string): string {
  return Buffer.from(key).toString('base64url');
}
